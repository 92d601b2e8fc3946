/** Below the chat: what one writes, sends along, or says by the buttons of a keyboard. */

import { get } from "./api.js";
import { attempt, choose, menu } from "./dialogs.js";
import { busy, button, byId, el } from "./dom.js";

export class Composer {
  /** @param {Object} desk of main.js */
  constructor(desk) {
    this.desk = desk;
    this.text = byId("text");
    this.drafts = new Map();
    this.text.addEventListener("input", () => this.grow());
    this.text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.submit();
    });
    byId("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    byId("attach").addEventListener("click", () => byId("file").click());
    byId("file").addEventListener("change", () => busy(byId("attach"), () => this.attach()));
    byId("commands").addEventListener("click", () => attempt(() => this.showCommands()));
  }

  /** What is half written stays with its chat. */
  keepDraft() {
    if (this.desk.peer !== null) this.drafts.set(this.desk.peer, this.text.value);
  }

  open({ peer, kind, may_write: mayWrite }) {
    byId("composer").hidden = false;
    byId("form").hidden = !mayWrite;
    byId("silent").hidden = mayWrite;
    byId("commands").hidden = kind !== "bot";
    this.write(this.drafts.get(peer) ?? ""); // last: what is hidden has no height to grow to
  }

  write(text) {
    this.text.value = text;
    this.grow();
  }

  grow() {
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight + 2}px`;
  }

  async submit() {
    const text = this.text.value;
    if (!text.trim()) return;
    this.write("");
    const sent = await this.say({ text });
    if (!sent && !this.text.value) this.write(text); // refused: what was typed is not lost
  }

  /** @returns whether it was taken; a refusal is said in a toast */
  async say(content) {
    const { person, peer } = this.desk;
    const message = await attempt(() => person.send(peer, content));
    if (message) this.desk.hear({ peer, message });
    return Boolean(message);
  }

  async attach() {
    const [file] = byId("file").files;
    if (!file) return;
    const form = new FormData();
    form.append("text", this.text.value);
    form.append("file", file, file.name);
    byId("file").value = "";
    if (await this.say(form)) this.write("");
  }

  async showCommands() {
    const commands = await this.desk.person.commands(this.desk.peer);
    const items = commands.length ? commands : [{ command: "start", description: "Begin" }];
    menu(byId("commands"), "Commands", items.map(({ command, description }) => (
      { label: `/${command}`, detail: description, act: () => this.say({ text: `/${command}` }) })));
  }

  /** @param {Object[][]} rows as the Bot API writes them (`says`: another text than the label); none: no keyboard */
  showKeyboard(rows) {
    const drawn = JSON.stringify(rows);
    if (this.drawn === drawn) return;
    this.drawn = drawn;
    const draw = (key) => button({ className: key.style ?? "" }, () => this.answer(key), key.text);
    byId("keyboard").hidden = !rows.length;
    byId("keyboard").replaceChildren(...rows.map((keys) => el("div", {}, ...keys.map(draw))));
  }

  answer(key) {
    if (key.request_contact) return this.say({ contact: true });
    if (key.request_chat) return attempt(() => this.shareChat(key.request_chat));
    if (key.request_users) return attempt(() => this.shareUser());
    return this.say({ text: key.says ?? key.text });
  }

  /** Offers what Telegram's picker would. */
  async shareChat(wanted) {
    const kind = wanted.chat_is_channel ? "channel" : "group";
    const isPublic = wanted.chat_has_username;
    const roles = ["creator"];
    if (!wanted.bot_administrator_rights) roles.push("admin");
    if (!wanted.user_administrator_rights) roles.push("member");
    const chats = (await this.desk.person.chats()).filter((chat) => chat.kind === kind && roles.includes(chat.role));
    const fitting = chats.filter(({ username }) => isPublic === undefined || isPublic === Boolean(username));
    const chosen = await choose("Choose a chat", fitting.map(({ title, peer }) => ({ label: title, value: peer })));
    return chosen && this.say({ share_chat: chosen });
  }

  async shareUser() {
    const { accounts } = await get("state");
    const others = accounts.filter(({ id }) => id !== this.desk.person.id);
    const chosen = await choose("Choose people", others.map(({ id, name }) => ({ label: name, value: id })));
    return chosen && this.say({ share_users: [chosen] });
  }
}
