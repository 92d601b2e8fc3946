/** The page put together: whom one plays, which chat is open, and what happens meanwhile. */

import { get, listen, Person, post } from "./api.js";
import { ChatList, kindOf } from "./chats.js";
import { Composer } from "./composer.js";
import { alertDialog, ask, attempt, choose, menu, toast } from "./dialogs.js";
import { avatar, byId, el } from "./dom.js";
import { safeUrl } from "./formatting.js";
import { History, PAGE } from "./messages.js";
import { learn } from "./names.js";
import { Panel } from "./panel.js";

const SOMEBODY_NEW = "new";

/** What the parts of the page share. `peer`: of the open chat; null when none is. */
const desk = {
  person: null,
  peer: null,
  get chat() {
    return chats.find(desk.peer);
  },
  sent(message, peer) {
    hear({ peer, message });
    return message;
  },
  changed: () => attempt(reload),
};

const chats = new ChatList(byId("chats"), (peer) => attempt(() => open(peer)));
const history = new History(byId("messages"), byId("to-bottom"), {
  press: (message, key) => attempt(() => press(message, key)),
  menu: showActions,
  older: (before) => attempt(() => desk.person.messages(desk.peer, PAGE, before)),
  command: (text) => composer.say({ text }),
  link: follow,
});
const composer = new Composer(desk);
const panel = new Panel(desk);
let state;
let stopListening = () => {};

// -- whom one plays

async function showPeople(chosen) {
  state = await get("state");
  const people = [...state.accounts].sort((a, b) => (b.id === state.admin_id) - (a.id === state.admin_id));
  for (const each of [...people, ...state.bots]) learn(each.id, each.name);
  for (const each of state.channels) learn(each.id, each.title);
  byId("who").replaceChildren(...people.map(({ id, name }) => el("option", { value: id }, name)),
    el("option", { value: SOMEBODY_NEW }, "Somebody new…"));
  byId("who").value = people.some(({ id }) => id === chosen) ? chosen : state.admin_id;
}

async function choosePerson() {
  if (byId("who").value === SOMEBODY_NEW) {
    const [added] = await post("accounts", { count: 1 });
    await showPeople(added.id);
  }
  play(Number(byId("who").value));
}

/** Look through that account's eyes. */
function play(id) {
  sessionStorage.setItem("person", id);
  desk.person = new Person(id);
  chats.unread.clear();
  composer.drafts.clear();
  close();
  stopListening();
  stopListening = listen(id, {
    open: () => attempt(reload),
    lost: (text) => say(text),
    message: hear,
    chats: () => attempt(reload),
    state: () => attempt(() => panel.refresh()),
    commands: () => {}, // asked for anew each time that the menu opens
  });
}

/** Everything that is shown, as it is now: at the start, and after a break. */
async function reload() {
  const { person } = desk;
  const [found, now] = await Promise.all([person.chats(), get("state")]);
  if (person !== desk.person) return;
  say(null);
  state = now;
  for (const chat of found) learn(chat.peer, chat.title);
  chats.show(found, state.now);
  if (desk.peer !== null && !desk.chat) close();
  if (desk.peer !== null) {
    const messages = await person.messages(desk.peer, PAGE);
    if (person === desk.person) history.refresh(messages);
    composer.showKeyboard(history.keyboard());
  } else if (window.innerWidth > 700) {
    const before = Number(sessionStorage.getItem("peer"));
    await open((chats.find(before) ?? chats.chats.find((chat) => chat.kind === "bot")).peer, { focus: false });
  }
  await panel.refresh();
}

// -- chats

async function open(peer, { focus = true } = {}) {
  const { person, peer: before } = desk;
  const messages = await person.messages(peer, PAGE);
  if (person !== desk.person) return;
  desk.peer = peer;
  sessionStorage.setItem("peer", peer);
  const { chat } = desk;
  byId("head-title").textContent = chat.title;
  const known = state.channels.find(({ id }) => id === peer);
  byId("head-about").textContent = known ? `${kindOf(chat)}, ${known.members.toLocaleString("en-GB")} members` : kindOf(chat);
  avatar(byId("head-avatar"), chat.title, peer);
  for (const id of ["head", "history"]) byId(id).hidden = false;
  byId("nothing").hidden = true;
  document.body.dataset.pane = "chat";
  composer.open(before);
  chats.select(peer);
  history.show(messages, { me: person.id, now: state.now, names: chat.kind === "group" });
  composer.showKeyboard(history.keyboard());
  if (focus && chat.may_write && matchMedia("(hover: hover)").matches) byId("text").focus();
}

/** Back to the list. */
function close() {
  if (desk.peer !== null) composer.drafts.set(desk.peer, byId("text").value);
  desk.peer = null;
  for (const id of ["head", "history", "composer"]) byId(id).hidden = true;
  byId("nothing").hidden = false;
  document.body.dataset.pane = "list";
  chats.select(null);
}

function hear({ peer, message }) {
  if (!chats.heard(peer, message, message.from === desk.person.id)) attempt(reloadChats);
  if (peer !== desk.peer) return;
  history.take(message);
  composer.showKeyboard(history.keyboard());
}

async function reloadChats() {
  const { person } = desk;
  const found = await person.chats();
  if (person === desk.person) chats.show(found, state.now);
}

// -- messages

async function press(message, key) {
  if (key.url && key.data === null) {
    if (!follow(key.url)) window.open(safeUrl(key.url) ?? "about:blank", "_blank", "noopener,noreferrer");
    return;
  }
  const { answer, alert, url } = await desk.person.press(desk.peer, message.id, key);
  if (answer && alert) await alertDialog(answer);
  else if (answer) toast(answer);
  if (url) follow(url);
}

function showActions(message, anchor) {
  const { peer, person, chat } = desk;
  const edit = async () => {
    const text = await ask("Edit the post", message.text);
    if (text) await attempt(() => post(`channels/${peer}/posts`, { edit: message.id, text }));
  };
  const copy = () => navigator.clipboard.writeText(message.text).then(() => toast("Copied"));
  const scan = () => attempt(() => person.scan(peer, message.id).then(() => toast("Scanned: signed in")));
  menu(anchor, "Message actions", [
    { label: "Forward", act: () => attempt(() => forward(peer, message)) },
    message.text && { label: "Copy text", act: copy },
    message.photo && { label: "Scan this QR", act: scan },
    chat.role === "creator" && { label: "Edit", act: edit },
    chat.role === "creator" && { label: "Delete", act: () => attempt(() => post(`channels/${peer}/posts`, { delete: message.id })) },
  ].filter(Boolean));
}

async function forward(peer, message) {
  const places = (await desk.person.chats()).filter((chat) => chat.may_write);
  const chosen = await choose("Forward to", places.map((chat) => ({ label: chat.title, value: chat.peer })));
  if (chosen === null) return;
  await desk.person.send(chosen, { forward: { peer, id: message.id } });
  await open(chosen);
}

/** Addresses of Telegram lead to chats of this sandbox, never out of it. @returns whether it was one */
function follow(address) {
  const url = new URL(address);
  const isTelegram = ["t.me", "telegram.me"].includes(url.hostname) || url.protocol === "tg:";
  if (!isTelegram) return false;
  const chat = chats.byUsername(url.searchParams.get("domain") ?? url.pathname.split("/")[1]);
  const start = url.searchParams.get("start");
  if (!chat) toast("That leads nowhere in this sandbox");
  else if (start !== null && chat.kind === "bot") attempt(() => open(chat.peer).then(() => composer.say({ text: `/start ${start}` })));
  else attempt(() => open(chat.peer));
  return true;
}

function say(text) {
  byId("banner").hidden = text === null;
  byId("banner").textContent = text ?? "";
}

byId("who").addEventListener("change", () => attempt(choosePerson));
byId("back").addEventListener("click", close);
await attempt(async () => {
  await showPeople(Number(sessionStorage.getItem("person")));
  play(Number(byId("who").value));
});
