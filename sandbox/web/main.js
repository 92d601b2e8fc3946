/** The page put together: whom one plays, which chat is open, and what happens meanwhile. */

import { get, listen, Person, post } from "./api.js";
import { ChatList, kindOf } from "./chats.js";
import { Composer } from "./composer.js";
import { alertDialog, ask, attempt, choose, menu, toast } from "./dialogs.js";
import { avatar, byId, counted, el } from "./dom.js";
import { safeUrl } from "./formatting.js";
import { History, PAGE } from "./messages.js";
import { learn } from "./names.js";
import { Panel } from "./panel.js";

const SOMEBODY_NEW = "new";
const PHONE_PX = 700;
const START = [[{ text: "Start", says: "/start", style: "primary" }]];

/** What the parts of the page share: whom one plays, and the open chat's peer; null when none is open. */
const desk = { person: null, peer: null, hear, reload };

const chats = new ChatList(byId("chats"), (peer) => attempt(() => open(peer)));
const composer = new Composer(desk);
const history = new History(byId("messages"), byId("to-bottom"), {
  press: (id, key) => attempt(() => press(id, key)),
  menu: showActions,
  older: (before) => attempt(() => desk.person.messages(desk.peer, PAGE, before)),
  changed: () => composer.showKeyboard(isUntouchedBot() ? START : history.keyboard()),
  command: (text) => composer.say({ text }),
  link: follow,
});
const panel = new Panel(desk);
let state;
const NO_CHAT = { peer: null, heard: [] };
let opening = NO_CHAT; // the chat that is being fetched, and what happens there meanwhile
let stopListening = () => {};

// -- whom one plays

async function showPeople(chosen) {
  state = await get("state");
  const people = state.accounts.toSorted((a, b) => (b.id === state.admin_id) - (a.id === state.admin_id));
  const options = people.map(({ id, name }) => el("option", { value: id }, name));
  byId("who").replaceChildren(...options, el("option", { value: SOMEBODY_NEW }, "Somebody new…"));
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
  close();
  chats.unread.clear();
  composer.drafts.clear();
  stopListening();
  stopListening = listen(id, {
    open: () => attempt(reload),
    lost: warn,
    message: hear,
    chats: () => attempt(reload),
    state: () => attempt(() => panel.refresh()),
    commands: () => {}, // the menu asks for them each time that it opens
  });
}

/** Everything that is shown, as it is now: at the start, and after a break. */
async function reload() {
  const { person } = desk;
  const [found, now] = await Promise.all([person.chats(), get("state")]);
  if (person !== desk.person) return;
  warn("");
  state = now;
  for (const { id, name, title } of [...state.accounts, ...state.bots, ...state.channels]) learn(id, name ?? title);
  chats.show(found, state.now);
  if (desk.peer !== null && !chats.find(desk.peer)) close();
  if (desk.peer !== null) {
    const { peer } = desk;
    const messages = await person.messages(peer, PAGE);
    if (person === desk.person && peer === desk.peer) history.refresh(messages);
  } else if (window.innerWidth > PHONE_PX) {
    const last = chats.find(Number(sessionStorage.getItem("peer")));
    await open((last ?? found.find(({ kind }) => kind === "bot")).peer);
  }
  await panel.refresh();
}

// -- chats

async function open(peer) {
  const mine = { peer, heard: [] };
  const { person } = desk;
  opening = mine;
  const messages = await person.messages(peer, PAGE);
  const chat = chats.find(peer);
  if (person !== desk.person || opening !== mine || !chat) return;
  composer.keepDraft();
  desk.peer = peer;
  sessionStorage.setItem("peer", peer);
  const known = state.channels.find(({ id }) => id === peer);
  byId("head-title").textContent = chat.title;
  byId("head-about").textContent = kindOf(chat) + (known ? `, ${counted(known.members, "member")}` : "");
  avatar(byId("head-avatar"), chat.title, peer);
  showPane("chat");
  composer.open(chat);
  chats.select(peer);
  history.show(messages, { me: person.id, now: state.now, isGroup: chat.kind === "group" });
  history.take(...mine.heard);
  opening = NO_CHAT;
  if (chat.may_write && matchMedia("(hover: hover)").matches) byId("text").focus(); // no keyboard jumps up on a phone
}

/** Back to the list. */
function close() {
  composer.keepDraft();
  desk.peer = null;
  opening = NO_CHAT;
  chats.select(null);
  showPane("list");
}

/** A bot to whom nobody has spoken yet offers to begin, as in life. */
function isUntouchedBot() {
  return !history.known.size && chats.find(desk.peer)?.kind === "bot";
}

function showPane(pane) {
  document.body.dataset.pane = pane;
  for (const id of ["head", "history", "composer"]) byId(id).hidden = pane === "list";
  byId("nothing").hidden = pane === "chat";
}

function hear({ peer, message }) {
  if (!chats.heard(peer, message, message.from === desk.person.id)) attempt(reloadChats);
  if (peer === desk.peer) history.take(message);
  if (peer === opening.peer) opening.heard.push(message);
}

async function reloadChats() {
  const { person } = desk;
  const found = await person.chats();
  if (person === desk.person) chats.show(found, state.now);
}

// -- messages

async function press(id, key) {
  const { answer, alert, url } = key.url ? key : await desk.person.press(desk.peer, id, key);
  if (answer && alert) alertDialog(answer);
  else if (answer) toast(answer);
  const leadsTo = url && safeUrl(url);
  if (leadsTo && !follow(leadsTo)) window.open(leadsTo, "_blank", "noopener,noreferrer");
}

function showActions(message, anchor) {
  const { peer, person } = desk;
  const posts = `channels/${peer}/posts`;
  const isOwn = chats.find(peer).role === "creator";
  const edit = async () => {
    const text = await ask("Edit the post", message.text);
    if (text) await post(posts, { edit: message.id, text });
  };
  const acts = {
    Forward: () => forward(peer, message.id),
    "Copy text": message.text && (() => navigator.clipboard.writeText(message.text).then(() => toast("Copied"))),
    "Scan this QR": message.photo && (() => person.scan(peer, message.id).then(() => toast("Scanned"))),
    Edit: isOwn && edit,
    Delete: isOwn && (() => post(posts, { delete: message.id })),
  };
  const items = Object.entries(acts).filter(([, act]) => act);
  menu(anchor, "Message actions", items.map(([label, act]) => ({ label, act: () => attempt(act) })));
}

async function forward(peer, id) {
  const places = (await desk.person.chats()).filter((chat) => chat.may_write);
  const chosen = await choose("Forward to", places.map((chat) => ({ label: chat.title, value: chat.peer })));
  if (chosen === null) return;
  await desk.person.send(chosen, { forward: { peer, id } });
  await open(chosen);
}

/** Addresses of Telegram lead to chats of this sandbox, never out of it. @returns whether it was one */
function follow(url) {
  const isTelegram = ["t.me", "telegram.me"].includes(url.hostname) || url.protocol === "tg:";
  if (!isTelegram) return false;
  const chat = chats.byUsername(url.searchParams.get("domain") ?? url.pathname.split("/")[1]);
  const start = url.searchParams.get("start");
  if (!chat) toast("That leads nowhere in this sandbox");
  else attempt(() => open(chat.peer).then(() => start && composer.say({ text: `/start ${start}` })));
  return true;
}

function warn(text) {
  byId("banner").hidden = !text;
  byId("banner").textContent = text;
}

byId("who").addEventListener("change", () => attempt(choosePerson));
byId("back").addEventListener("click", close);
await attempt(async () => {
  await showPeople(Number(sessionStorage.getItem("person")));
  play(Number(byId("who").value));
});
