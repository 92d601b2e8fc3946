/** Below the chat: what one writes, sends along, or says by the buttons of a keyboard. */

import { get } from "./api.js";
import { busy, button, byId, el } from "./dom.js";
import { attempt, choose, chooseSeveral, menu } from "./dialogs.js";

export class Composer {
  /** @param {Object} desk the open chat: `person`, `peer`, `chat`, and `sent(message)` */
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

  /** Another chat is open; what was half written stays with its own. */
  open(before) {
    if (before) this.drafts.set(before, this.text.value);
    const { chat, peer } = this.desk;
    this.text.value = this.drafts.get(peer) ?? "";
    this.grow();
    byId("composer").hidden = false;
    byId("form").hidden = !chat.may_write;
    byId("silent").hidden = chat.may_write;
    byId("commands").hidden = chat.kind !== "bot";
    this.showKeyboard([]);
  }

  grow() {
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight}px`;
  }

  async submit() {
    const text = this.text.value;
    if (!text.trim()) return;
    this.text.value = "";
    this.grow();
    if ((await this.say({ text })) === undefined && !this.text.value) this.text.value = text; // not lost when refused
  }

  /** Send that; undefined when it was refused, which a toast has said. */
  say(content, peer = this.desk.peer) {
    return attempt(async () => this.desk.sent(await this.desk.person.send(peer, content), peer));
  }

  async attach() {
    const [file] = byId("file").files;
    byId("file").value = "";
    if (!file) return;
    const { peer } = this.desk;
    const sent = await attempt(() => this.desk.person.upload(peer, file, this.text.value));
    if (!sent) return;
    this.text.value = "";
    this.desk.sent(sent, peer);
  }

  async showCommands() {
    const commands = await this.desk.person.commands(this.desk.peer);
    const items = commands.map(({ command, description }) => ({
      label: `/${command}`, detail: description, act: () => this.say({ text: `/${command}` }),
    }));
    menu(byId("commands"), "Commands", items.length ? items : [{ label: "/start", act: () => this.say({ text: "/start" }) }]);
  }

  /** @param {Object[][]} rows as the Bot API writes them; none: there is no keyboard */
  showKeyboard(rows) {
    const place = byId("keyboard");
    const drawn = JSON.stringify(rows);
    if (this.drawn === drawn && place.hidden === !rows.length) return;
    this.drawn = drawn;
    place.hidden = rows.length === 0;
    place.replaceChildren(...rows.map((keys) =>
      el("div", {}, ...keys.map((key) => button(key.text, () => this.answer(key), { className: key.style ?? "" })))));
  }

  async answer(key) {
    if (key.request_contact) return this.say({ contact: true });
    if (key.request_chat) return this.shareChat(key.request_chat);
    if (key.request_users) return this.shareUsers(key.request_users);
    return this.say({ text: key.text });
  }

  /** Offers what Telegram's picker would. */
  async shareChat(wanted) {
    const kind = wanted.chat_is_channel ? "channel" : "group";
    const roles = wanted.bot_administrator_rights || wanted.chat_is_created ? ["creator"] : ["creator", "admin"];
    const chats = (await this.desk.person.chats()).filter((chat) =>
      chat.kind === kind && (wanted.user_administrator_rights || wanted.chat_is_created ? roles.includes(chat.role) : chat.role) &&
      (wanted.chat_has_username === undefined || wanted.chat_has_username === Boolean(chat.username)));
    const chosen = await choose("Choose a chat", chats.map(({ title, peer }) => ({ label: title, value: peer })));
    return chosen && this.say({ share_chat: chosen });
  }

  async shareUsers(wanted) {
    const { accounts } = await get("state");
    const people = accounts.map(({ id, name, username }) => ({ label: name, detail: username && `@${username}`, value: id }));
    const most = wanted.max_quantity ?? 1;
    if (most > 1) {
      const several = await chooseSeveral("Choose people", people, most);
      return several && this.say({ share_users: several });
    }
    const one = await choose("Choose people", people);
    return one && this.say({ share_users: [one] });
  }
}
