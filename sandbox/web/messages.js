/** The messages of the open chat: drawn, changed in place, and always where the reader left them. */

import { fileUrl } from "./api.js";
import { button, dayOf, el, fullTime, sizeOf, timeOf } from "./dom.js";
import { formatted } from "./formatting.js";
import { writeName } from "./names.js";

export const PAGE = 100;
const MOST = 4 * PAGE;
const NEAR_PX = 80;
const TOGETHER_MS = 16;

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

const thereOf = (messages) => messages.filter((message) => !message.deleted);

export class History {
  /**
   * @param {Object} actions `press(id, key)`, `menu(message, anchor)`, `older(before)`, `changed()` after messages came
   * or went; and those of formatting.js
   */
  constructor(list, toBottom, actions) {
    Object.assign(this, { list, toBottom, actions, known: new Map(), waiting: [], sticks: true, isLoading: false });
    list.addEventListener("scroll", () => this.scrolled(), { passive: true });
    new ResizeObserver(() => this.sticks && this.goDown()).observe(list);
    toBottom.addEventListener("click", () => this.goDown());
  }

  /** Another chat. @param {Object} view `me`, `now`, `isGroup`: whether it must be told who speaks */
  show(messages, view) {
    Object.assign(this, { view, known: new Map(), waiting: [], hasOlder: thereOf(messages).length >= PAGE });
    this.list.ariaLive = "off"; // a screen reader is told of news, not of all that stands there
    this.list.replaceChildren();
    for (const message of messages) this.put(message);
    this.offerOlder();
    this.goDown();
    this.actions.changed();
    setTimeout(() => (this.list.ariaLive = "polite"));
  }

  /** The same chat again, after a break. */
  refresh(messages) {
    const wasMissed = messages[0]?.id > Math.max(...this.known.keys());
    if (wasMissed) this.show(messages, this.view);
    else this.take(...messages);
  }

  /** Messages that are new, were edited or deleted. Those of the same moment are drawn together. */
  take(...messages) {
    if (!this.waiting.length) setTimeout(() => this.takeAll(), TOGETHER_MS);
    this.waiting.push(...messages);
  }

  takeAll() {
    if (this.sticks && this.known.size + this.waiting.length > MOST) return void this.shorten();
    const fresh = thereOf(this.waiting).filter(({ id }) => !this.known.has(id));
    if (fresh.some(({ from }) => from === this.view.me)) this.sticks = true;
    this.keepingPlace(() => this.waiting.forEach((message) => this.put(message)));
    this.waiting = [];
    if (fresh.length && !this.sticks) this.toBottom.hidden = false;
    this.actions.changed();
  }

  /** Whoever reads the end needs no more than that: every change costs by the length of what is drawn. */
  shorten() {
    const all = new Map(this.known);
    for (const message of this.waiting) {
      if (!(all.get(message.id)?.version >= message.version)) all.set(message.id, message);
    }
    const newest = thereOf([...all.values()]).sort((a, b) => a.id - b.id);
    this.show(newest.slice(-PAGE), this.view);
  }

  /** What the last message that speaks of it says about the keyboard below the chat. */
  keyboard() {
    const saying = thereOf([...this.known.values()]).filter((message) => message.reply_keyboard !== null);
    return saying.reduce((last, each) => (each.id > last.id ? each : last), { id: 0 }).reply_keyboard ?? [];
  }

  // -- changing the list

  put(message) {
    const before = this.known.get(message.id);
    if (before && before.version >= message.version) return;
    this.known.set(message.id, message);
    if (message.deleted) this.drop(message.id);
    else this.draw(message, this.row(message.id) ?? this.insert(message.id), before);
  }

  row(id) {
    return this.list.querySelector(`:scope > [data-id="${id}"]`);
  }

  insert(id) {
    const row = el("li", { tabIndex: -1, "data-id": id });
    let behind = this.list.lastElementChild;
    while (Number(behind?.dataset.id) > id) behind = behind.previousElementSibling;
    if (behind) behind.after(row);
    else this.list.prepend(row);
    return row;
  }

  drop(id) {
    const row = this.row(id);
    const next = row?.nextElementSibling;
    if (row?.contains(document.activeElement)) this.list.focus({ preventScroll: true });
    row?.remove();
    if (next) this.mark(next);
  }

  /** Whether a day begins here, and whether the same person goes on speaking. */
  mark(row) {
    const previous = row.previousElementSibling;
    const isNewDay = previous?.dataset.day !== row.dataset.day;
    row.classList.toggle("day", isNewDay);
    row.classList.toggle("follows", !isNewDay && previous.dataset.from === row.dataset.from);
  }

  // -- scrolling

  goDown() {
    this.sticks = true;
    this.toBottom.hidden = true;
    this.list.scrollTop = this.list.scrollHeight;
    this.top = this.list.scrollTop;
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.list;
    const isUpwards = scrollTop < this.top; // by the reader: what grows below them moves nothing
    this.top = scrollTop;
    if (scrollHeight - scrollTop - clientHeight < NEAR_PX) this.sticks = true;
    else if (isUpwards) this.sticks = false;
    if (this.sticks) this.toBottom.hidden = true;
    if (scrollTop < NEAR_PX && this.hasOlder) this.loadOlder();
  }

  /** Change the list; then the reader is at the end, if that is where they were, or sees what they saw. */
  keepingPlace(change) {
    const topOf = (row) => row.getBoundingClientRect().top;
    const top = topOf(this.list);
    const seen = !this.sticks && [...this.list.children].find((row) => row.dataset.id && topOf(row) >= top);
    const was = seen && topOf(seen);
    change();
    if (this.sticks) this.goDown();
    else if (seen?.isConnected) this.list.scrollTop += topOf(seen) - was;
  }

  async loadOlder() {
    if (this.isLoading) return;
    this.isLoading = true;
    const { view } = this;
    const messages = await this.actions.older(Math.min(...this.known.keys()));
    this.isLoading = false;
    if (!messages || view !== this.view) return; // refused, or another chat was opened meanwhile
    this.hasOlder = thereOf(messages).length >= PAGE;
    this.sticks = false;
    this.keepingPlace(() => {
      this.list.querySelector(".older")?.remove();
      for (const message of messages.reverse()) this.put(message);
      this.offerOlder();
    });
  }

  offerOlder() {
    if (!this.hasOlder) return;
    const more = button({ className: "quiet" }, () => this.loadOlder(), "Show older");
    this.list.prepend(el("li", { className: "older" }, more));
  }

  // -- drawing

  /** @param {Object} [before] what the row shows now: what has not changed stays, and so does a press that has begun */
  draw(message, row, before) {
    const focus = row.contains(document.activeElement) ? document.activeElement.dataset.place : undefined;
    const side = message.action ? "service" : message.from === this.view.me ? "mine" : "theirs";
    row.className = side;
    row.dataset.day = dayOf(message.date, this.view.now);
    row.dataset.from = message.from;
    if (message.action) {
      row.textContent = "";
      row.append(el("p", { className: "event" }, [ACTIONS[message.action], message.text].filter(Boolean).join(": ")));
    } else {
      const bubble = this.bubble(message, row, side);
      if (before) row.querySelector(".bubble").replaceWith(bubble);
      else row.append(bubble);
      if (JSON.stringify(before?.buttons ?? null) !== JSON.stringify(message.buttons)) {
        row.querySelector(".inline-keyboard")?.remove();
        if (message.buttons) row.append(this.inlineKeyboard(message));
      }
    }
    this.mark(row);
    if (row.nextElementSibling) this.mark(row.nextElementSibling);
    if (focus && !row.contains(document.activeElement)) {
      (row.querySelector(`[data-place="${focus}"]`) ?? row).focus({ preventScroll: true });
    }
  }

  bubble(message, row, side) {
    const { forward, photo, document: file, text, entities } = message;
    return el("div", { className: "bubble" },
      this.view.isGroup && side === "theirs" && writeName(el("p", { className: "author" }), message.from),
      forward && el("p", { className: "forward" }, "Forwarded from ", writeName(el("b"), forward.peer)),
      photo && this.photo(fileUrl(photo.id), row),
      file && el("a", { className: "file", href: fileUrl(file.id), download: file.name },
        el("span", { className: "sign", "aria-hidden": "true" }, "↓"), el("span", {}, file.name),
        el("small", {}, sizeOf(file.size))),
      ...shared(message),
      text && el("div", { className: "text" }, ...formatted(text, entities, this.actions)),
      this.foot(message));
  }

  foot(message) {
    const { date, edited } = message;
    const said = { title: fullTime(date), dateTime: new Date(date * 1000).toISOString() };
    const more = { className: "more", "aria-label": "Message actions", "aria-haspopup": "menu", "data-place": "more" };
    return el("span", { className: "foot" }, edited && el("span", {}, "edited"), el("time", said, timeOf(date)),
      button(more, (_, made) => this.actions.menu(message, made), "⋯"));
  }

  photo(src, row) {
    const shown = row.querySelector("img");
    if (shown?.getAttribute("src") === src) return shown; // not fetched anew for each edit of the text below it
    const settle = () => this.sticks && this.goDown();
    const fail = () => {
      image.replaceWith(el("p", { className: "no-photo" }, "🖼 made-up bytes"));
      settle();
    };
    const image = el("img", { src, alt: "Photo", onload: settle, onerror: fail });
    return image;
  }

  inlineKeyboard({ id, buttons }) {
    const draw = (key, row, column) => {
      const className = `${key.style ?? ""} ${key.url ? "leads-away" : ""}`;
      return button({ className, "data-place": `${row} ${column}` }, () => this.actions.press(id, key), key.text);
    };
    const rows = buttons.map((keys, row) => el("div", {}, ...keys.map((key, column) => draw(key, row, column))));
    return el("div", { className: "inline-keyboard" }, ...rows);
  }
}

/** What was given by a button of the keyboard below the chat. */
function shared({ contact, chat_shared: chat, users_shared: users }) {
  const name = contact && [contact.first_name, contact.last_name].filter(Boolean).join(" ");
  const peers = [chat?.chat_id, ...(users?.user_ids ?? [])].filter(Boolean);
  return [
    contact && el("p", {}, "👤 ", el("b", {}, name), ` +${contact.phone_number}`),
    ...peers.map((peer) => el("p", {}, "Chosen: ", writeName(el("b"), peer))),
  ];
}
