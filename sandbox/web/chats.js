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
    this.rows = new Map(); // by peer; kept, so that a press is not lost when the list changes under it
    this.unread = new Map();
    this.current = null;
  }

  find = (peer) => this.chats.find((chat) => chat.peer === peer);
  byUsername = (name) => this.chats.find((chat) => chat.username?.toLowerCase() === name?.toLowerCase());

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

  /** Something was said, changed or deleted. @returns false when only the sandbox knows how the list is now */
  heard(peer, message, isMine) {
    const chat = this.find(peer);
    const last = chat?.last?.id ?? 0;
    if (!chat || (message.deleted && message.id === last)) return false;
    if (message.deleted || message.id < last) return true;
    const media = message.document?.name ?? (message.photo ? "Photo" : message.contact ? "Contact" : "");
    chat.last = { id: message.id, text: message.text || media, date: message.date };
    if (message.id > last) {
      if (!isMine && peer !== this.current) this.unread.set(peer, (this.unread.get(peer) ?? 0) + 1);
      this.chats.sort((a, b) => (b.last?.date ?? 0) - (a.last?.date ?? 0));
    }
    this.draw();
    return true;
  }

  draw() {
    const focused = this.nav.contains(document.activeElement) ? document.activeElement : null;
    const rows = this.chats.map((chat) => this.row(chat));
    for (const row of [...this.nav.children]) if (!rows.includes(row)) row.remove();
    const there = this.nav.children;
    rows.forEach((row, at) => there[at] === row || this.nav.insertBefore(row, there[at] ?? null));
    focused?.focus();
  }

  row({ peer, title, last, kind }) {
    if (!this.rows.has(peer)) {
      const parts = ["title", "time", "gist", "unread"].map((className) => el("span", { className }));
      const picture = avatar(el("span", { className: "avatar", "aria-hidden": "true" }), title, peer);
      const made = el("button", { type: "button", className: "chat" }, picture, ...parts);
      made.addEventListener("click", () => this.openChat(peer));
      this.rows.set(peer, made);
    }
    const row = this.rows.get(peer);
    const unread = this.unread.get(peer);
    const texts = [title, last ? momentOf(last.date, this.now) : "", last ? last.text : KINDS[kind], unread ?? ""];
    [...row.children].slice(1).forEach((part, at) => (part.textContent = texts[at]));
    row.toggleAttribute("data-unread", Boolean(unread));
    if (peer === this.current) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
    return row;
  }
}
