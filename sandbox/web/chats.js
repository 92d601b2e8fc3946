/** The list of chats. */

import { avatar, el, momentOf } from "./dom.js";

const KINDS = { bot: "bot", service: "service notifications", channel: "channel", group: "group" };
export const kindOf = (chat) => KINDS[chat.kind];

export class ChatList {
  /** @param {(peer: number) => void} openChat */
  constructor(nav, openChat) {
    this.nav = nav;
    this.openChat = openChat;
    this.chats = [];
    this.unread = new Map();
    this.current = null;
    this.now = 0;
  }

  find(peer) {
    return this.chats.find((chat) => chat.peer === peer);
  }

  byUsername(username) {
    return this.chats.find((chat) => chat.username?.toLowerCase() === username.toLowerCase());
  }

  show(chats, now) {
    this.chats = chats;
    this.now = now;
    this.draw();
  }

  select(peer) {
    this.current = peer;
    this.unread.delete(peer);
    this.draw();
  }

  /** Something was said, changed or deleted there. @returns whether the chat is known */
  heard(peer, message, mine) {
    const chat = this.find(peer);
    if (!chat) return false;
    const isNewer = !chat.last || message.id > chat.last.id;
    if (message.deleted && message.id === chat.last?.id) return false; // what is the last one now, the server knows
    if (message.deleted || (!isNewer && message.id !== chat.last.id)) return true;
    const text = message.text || message.document?.name || (message.photo ? "Photo" : message.contact ? "Contact" : "");
    chat.last = { id: message.id, text: text.slice(0, 120), date: message.date };
    if (isNewer && !mine && peer !== this.current) this.unread.set(peer, (this.unread.get(peer) ?? 0) + 1);
    if (isNewer) this.chats.sort((a, b) => (b.last?.date ?? 0) - (a.last?.date ?? 0));
    this.draw();
    return true;
  }

  draw() {
    const focused = document.activeElement?.closest?.("nav button")?.dataset.peer;
    this.nav.replaceChildren(...this.chats.map((chat) => this.row(chat)));
    if (focused) this.nav.querySelector(`[data-peer="${focused}"]`)?.focus();
  }

  row(chat) {
    const unread = this.unread.get(chat.peer);
    const made = el("button", { type: "button", className: "chat", "data-peer": chat.peer },
      avatar(el("span", { className: "avatar", "aria-hidden": "true" }), chat.title, chat.peer),
      el("span", { className: "title" }, chat.title),
      el("time", {}, chat.last ? momentOf(chat.last.date, this.now) : ""),
      el("span", { className: "gist" }, chat.last ? chat.last.text : kindOf(chat)),
      unread && el("span", { className: "unread", "aria-label": `${unread} new` }, String(unread)));
    if (chat.peer === this.current) made.setAttribute("aria-current", "true");
    made.addEventListener("click", () => this.openChat(chat.peer));
    return made;
  }
}
