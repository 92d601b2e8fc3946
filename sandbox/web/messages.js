/** The messages of the open chat: drawn, changed in place, and always where the reader left them. */

import { fileUrl } from "./api.js";
import { busy, dayOf, el, fullTime, sizeOf, timeOf } from "./dom.js";
import { formatted } from "./formatting.js";
import { writeName } from "./names.js";

export const PAGE = 100;
const NEAR_PX = 80;

const ACTIONS = {
  channel_create: "Channel created",
  chat_create: "Group created",
  title: "New title",
  pin: "A message was pinned",
  joined_by_request: "Somebody's request to join was accepted",
  migrate_to: "This group became a supergroup",
  migrate_from: "This supergroup was a group before",
  topic_create: "Topic created",
};

export class History {
  /**
   * @param {Object} actions `press(message, key)`, `menu(message, anchor)`, `older(before)`, `command(text)`, `link(url)`
   */
  constructor(list, toBottom, actions) {
    this.list = list;
    this.toBottom = toBottom;
    this.actions = actions;
    this.known = new Map();
    this.sticks = true;
    this.isLoading = false;
    list.addEventListener("scroll", () => this.scrolled(), { passive: true });
    new ResizeObserver(() => this.sticks && this.goDown()).observe(list);
    toBottom.addEventListener("click", () => this.goDown());
  }

  /** @param {Object} view `me`, `now`, `names`: whether it is told who speaks */
  show(messages, view) {
    this.view = view;
    this.known = new Map(messages.map((message) => [message.id, message]));
    this.hasOlder = messages.filter((message) => !message.deleted).length >= PAGE;
    this.list.replaceChildren(...this.rows(messages));
    this.drawOlder();
    this.markAll();
    this.goDown();
  }

  /** The same chat again, after a break: what is read stays where it is. */
  refresh(messages) {
    const oldest = Math.min(...messages.map((message) => message.id));
    this.keepingPlace(() => {
      for (const message of messages) this.put(message);
      const there = new Set(messages.map((message) => message.id));
      for (const id of [...this.known.keys()]) if (id >= oldest && !there.has(id)) this.drop(id);
    });
  }

  /** A message that is new, was edited or deleted. */
  take(message) {
    const isNew = !this.known.has(message.id);
    const mine = message.from === this.view.me;
    if (isNew && mine) this.sticks = true;
    this.keepingPlace(() => this.put(message));
    if (isNew && !message.deleted && !this.sticks) this.toBottom.hidden = false;
  }

  /** Newest first: what the keyboard below the chat is made of. */
  keyboard() {
    const ids = [...this.known.keys()].sort((a, b) => b - a);
    const says = ids.map((id) => this.known.get(id)).find((each) => !each.deleted && each.reply_keyboard !== null);
    return says?.reply_keyboard ?? [];
  }

  // -- changing the list

  put(message) {
    const old = this.row(message.id);
    const before = this.known.get(message.id);
    if (before && before.version > message.version) return;
    this.known.set(message.id, message);
    if (message.deleted) return void this.drop(message.id);
    if (old && before.version === message.version) return;
    const made = this.draw(message, old);
    if (old) this.replace(old, made);
    else this.insert(made, message.id);
    this.mark(made);
  }

  replace(old, made) {
    const focus = old.contains(document.activeElement) ? document.activeElement.dataset.place ?? "" : null;
    old.replaceWith(made);
    if (focus !== null) (made.querySelector(`[data-place="${focus}"]`) ?? made).focus({ preventScroll: true });
  }

  insert(made, id) {
    let behind = this.list.lastElementChild;
    while (behind && Number(behind.dataset.id) > id) behind = behind.previousElementSibling;
    if (behind) behind.after(made);
    else this.list.prepend(made);
  }

  drop(id) {
    const row = this.row(id);
    const next = row?.nextElementSibling;
    if (row?.contains(document.activeElement)) this.list.focus({ preventScroll: true });
    row?.remove();
    if (next) this.mark(next);
  }

  row(id) {
    return this.list.querySelector(`:scope > li[data-id="${id}"]`);
  }

  rows(messages) {
    return messages.filter((message) => !message.deleted).map((message) => this.draw(message));
  }

  /** Whether a day begins here, and whether the same person goes on speaking; of the next one too. */
  mark(row) {
    for (const each of [row, row.nextElementSibling]) {
      if (!each?.dataset.id) continue;
      const previous = each.previousElementSibling;
      const begins = previous?.dataset.day !== each.dataset.day;
      each.classList.toggle("day", begins);
      each.classList.toggle("follows", !begins && previous.dataset.from === each.dataset.from);
    }
  }

  markAll() {
    for (const row of this.list.children) this.mark(row);
  }

  // -- scrolling

  goDown() {
    this.sticks = true;
    this.toBottom.hidden = true;
    this.list.scrollTop = this.list.scrollHeight;
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.list;
    this.sticks = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    if (this.sticks) this.toBottom.hidden = true;
    if (scrollTop < NEAR_PX && this.hasOlder) this.loadOlder();
  }

  /** Change the list; then the reader is at the end, if that is where they were, or sees what they saw. */
  keepingPlace(change) {
    const { top } = this.list.getBoundingClientRect();
    const seen = [...this.list.children].find((row) => row.dataset.id && row.getBoundingClientRect().bottom > top);
    const id = seen?.dataset.id;
    const was = seen?.getBoundingClientRect().top;
    change();
    if (this.sticks) return this.goDown();
    const now = id && this.row(id)?.getBoundingClientRect().top;
    if (now !== undefined && now !== was) this.list.scrollTop += now - was;
  }

  async loadOlder() {
    if (this.isLoading) return;
    this.isLoading = true;
    const view = this.view;
    try {
      const messages = await this.actions.older(Math.min(...this.known.keys()));
      if (view !== this.view || !messages) return; // another chat was opened meanwhile
      this.hasOlder = messages.filter((message) => !message.deleted).length >= PAGE;
      for (const message of messages) this.known.set(message.id, message);
      this.sticks = false;
      this.keepingPlace(() => {
        this.list.querySelector(".older")?.remove();
        this.list.prepend(...this.rows(messages));
        this.drawOlder();
        this.markAll();
      });
    } finally {
      this.isLoading = false;
    }
  }

  drawOlder() {
    if (!this.hasOlder) return;
    const more = el("button", { type: "button", className: "quiet", onclick: () => this.loadOlder() }, "Show older");
    this.list.prepend(el("li", { className: "older" }, more));
  }

  // -- drawing

  draw(message, old) {
    const mine = message.from === this.view.me;
    const side = message.action ? "service" : mine ? "mine" : "theirs";
    const day = dayOf(message.date, this.view.now);
    const row = el("li", { className: side, tabIndex: -1, "data-id": message.id, "data-day": day, "data-from": message.from });
    if (message.action) {
      row.append(el("p", { className: "event" }, [ACTIONS[message.action], message.text].filter(Boolean).join(": ")));
      return row;
    }
    const bubble = el("div", { className: "bubble" },
      this.view.names && !mine && writeName(el("p", { className: "author" }), message.from),
      message.forward && el("p", { className: "forward" }, "Forwarded from ", writeName(el("b"), message.forward.peer)),
      message.photo && this.photo(message.photo.id, old),
      message.document && document_(message.document),
      ...special(message),
      message.text && el("div", { className: "text" }, ...formatted(message.text, message.entities, this.actions)),
      this.foot(message));
    row.append(bubble);
    if (message.buttons) row.append(this.inlineKeyboard(message));
    return row;
  }

  foot(message) {
    const more = el("button", {
      type: "button", className: "more", "aria-label": "Message actions", "aria-haspopup": "menu", "data-place": "more",
      onclick: () => this.actions.menu(message, more),
    }, "⋯");
    return el("span", { className: "foot" },
      message.edited && el("span", {}, "edited"),
      el("time", { title: fullTime(message.date), dateTime: new Date(message.date * 1000).toISOString() }, timeOf(message.date)),
      more);
  }

  photo(id, old) {
    const src = fileUrl(id);
    const shown = old?.querySelector("img");
    if (shown?.getAttribute("src") === src) return shown; // not fetched anew for each edit of the text below it
    const image = el("img", { src, alt: "Photo" });
    image.addEventListener("load", () => this.sticks && this.goDown());
    image.addEventListener("error", () => image.replaceWith(el("p", { className: "no-photo" }, "🖼 A photo of made-up bytes")));
    return image;
  }

  inlineKeyboard(message) {
    return el("div", { className: "inline-keyboard" }, ...message.buttons.map((keys, row) =>
      el("div", {}, ...keys.map((key, column) => {
        const made = el("button", { type: "button", className: key.style ?? "", "data-place": `${row} ${column}` }, key.text);
        if (key.url) made.classList.add("leads-away");
        made.addEventListener("click", () => busy(made, () => this.actions.press(message, key)));
        return made;
      }))));
  }
}

function document_({ id, name, size }) {
  return el("a", { className: "file", href: fileUrl(id), download: name },
    el("span", { className: "sign", "aria-hidden": "true" }, "↓"), el("span", {}, name), el("small", {}, sizeOf(size)));
}

function special(message) {
  const shown = [];
  if (message.contact) {
    const { first_name: first, last_name: last, phone_number: phone } = message.contact;
    shown.push(el("p", {}, "👤 ", el("b", {}, [first, last].filter(Boolean).join(" ")), ` +${phone}`));
  }
  if (message.chat_shared) {
    shown.push(el("p", {}, "Chosen: ", writeName(el("b"), message.chat_shared.chat_id)));
  }
  for (const id of message.users_shared?.user_ids ?? []) shown.push(el("p", {}, "Chosen: ", writeName(el("b"), id)));
  return shown;
}
