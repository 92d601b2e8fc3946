/** The sandbox itself: its truth, and what can be done to it. */

import { get, post, remove } from "./api.js";
import { attempt, toast } from "./dialogs.js";
import { button, byId, counted, el, fullTime } from "./dom.js";

function field(label, value, more = {}) {
  const type = typeof value === "number" ? "number" : "text";
  const input = el("input", { type, value, "aria-label": label, ...more });
  return Object.assign(el("label", {}, label, input), { input });
}

function check(label) {
  const input = el("input", { type: "checkbox" });
  return Object.assign(el("label", { className: "check" }, input, label), { input });
}

const row = (...content) => el("div", { className: "row" }, ...content);
const act = (label, does) => button({}, () => attempt(does), label);
const section = (title, ...content) =>
  el("details", { open: title === "Channels" }, el("summary", {}, title), ...content);

export class Panel {
  /** @param {Object} desk of main.js */
  constructor(desk) {
    this.desk = desk;
    this.place = byId("panel");
    this.channels = el("div");
    this.accounts = el("div");
    this.faults = el("ul");
    this.calls = el("div");
    this.now = el("p");
    byId("panel-toggle").addEventListener("click", () => this.show(this.place.hidden));
    this.place.addEventListener("keydown", (event) => event.key === "Escape" && this.show(false));
    const close = button({ className: "icon", "aria-label": "Close the panel" }, () => this.show(false), "✕");
    this.place.append(
      el("header", { className: "bar" }, el("h2", {}, "Sandbox"), close),
      section("Channels", this.channels),
      section("Accounts", "All made up. Codes come in the chat with Telegram.", this.accounts),
      section("Faults", this.faults, this.faultForm(), el("h3", {}, "Network"), this.networkForm()),
      section("Calls", this.calls, this.callsForm()),
      section("Clock", this.now, this.clockForm()));
  }

  show(open) {
    this.place.hidden = !open;
    byId("panel-toggle").setAttribute("aria-expanded", String(open));
    if (open) attempt(() => this.refresh());
    else byId("panel-toggle").focus();
  }

  /** The truth has changed. What is typed stays. */
  async refresh() {
    if (this.place.hidden) return;
    const [state, network] = await Promise.all([
      get("state"), get("network"), this.showAccounts(), this.showFaults(), this.showCalls(),
    ]);
    for (const channel of state.channels) this.showChannel(channel);
    this.now.textContent = fullTime(state.now);
    if (this.network.contains(document.activeElement)) return;
    this.rtt.input.value = network.rtt_ms;
    this.mbit.input.value = network.mbit;
    this.limits.input.checked = network.bot_limits;
  }

  showChannel({ id, title, username, pending_requests: waiting, members, messages }) {
    const made = this.channels.querySelector(`[data-peer="${id}"]`) ?? this.channelForm(id, title, username);
    const figures = [counted(waiting, "waiting", "waiting"), counted(members, "member"), counted(messages, "message")];
    made.querySelector(".figures").textContent = figures.join(" · ");
  }

  channelForm(id, title, username) {
    const count = field("People", 1, { min: 1 });
    const text = field("Text", "News from the harbour");
    const name = field("File name", "");
    const size = field("File size, bytes", 100_000, { min: 1 });
    const ask = async () => {
      const { asked } = await post(`channels/${id}/requests`, { count: Number(count.input.value) });
      toast(`${counted(asked.length, "person asks", "people ask")} to join`);
    };
    const askAsMe = () => this.desk.person.askToJoin(id).then(() => toast("You have asked to join"));
    const send = () => {
      const file = { name: name.input.value, size: Number(size.input.value) };
      return post(`channels/${id}/posts`, { text: text.input.value, ...(file.name && { file }) });
    };
    const made = el("fieldset", { "data-peer": id }, el("legend", {}, title),
      el("p", { className: "muted" }, username ? `@${username}` : "private"), el("p", { className: "figures" }),
      row(count, act("Ask to join", ask), act("Ask to join as me", askAsMe)), row(text, name, size, act("Post", send)));
    this.channels.append(made);
    return made;
  }

  async showAccounts() {
    const accounts = await get("accounts");
    if (this.accounts.childElementCount === accounts.length) return;
    this.accounts.replaceChildren(...accounts.map(({ id, name, phone, password, ...api }) => {
      const facts = { Phone: phone, Password: password ?? "none", "API id": api.api_id, "API hash": api.api_hash };
      const list = Object.entries(facts).flatMap(([fact, value]) => [el("dt", {}, fact), el("dd", {}, String(value))]);
      const revoke = () => post("faults", { revoke: id }).then(() => toast(`${name} is signed out everywhere`));
      return el("fieldset", {}, el("legend", {}, name), el("dl", {}, ...list), act("Revoke sessions", revoke));
    }));
  }

  faultForm() {
    const method = field("Method", "messages.getHistory");
    const error = field("Error", "FLOOD_WAIT_5");
    const times = field("Times", 1, { min: 1 });
    const delay = field("Delay, ms", 0, { min: 0 });
    const drop = check("Drop the connection");
    const add = async () => {
      const fault = { method: method.input.value, drop: drop.input.checked, delay_ms: Number(delay.input.value) };
      const named = !fault.drop && error.input.value ? { error: error.input.value } : {};
      await post("faults", { ...fault, ...named, times: Number(times.input.value) });
      await this.showFaults();
    };
    const clear = () => remove("faults").then(() => this.showFaults());
    return row(method, error, times, delay, drop, act("Add", add), act("Clear", clear));
  }

  async showFaults() {
    const told = (await get("faults")).map(({ method, error, drop, delay_ms: delay, times }) => {
      const what = [delay && `${delay} ms late`, drop && "dropped", error].filter(Boolean).join(", ");
      return `${method}: ${what}; ${counted(times, "time")}`;
    });
    this.faults.replaceChildren(...(told.length ? told : ["No fault waits."]).map((line) => el("li", {}, line)));
  }

  networkForm() {
    this.rtt = field("Round trip, ms", 0, { min: 0 });
    this.mbit = field("Mbit/s (0: no limit)", 0, { min: 0, step: "any" });
    this.limits = check("Limits of the Bot API");
    const set = async () => {
      const [rtt, mbit] = [Number(this.rtt.input.value), Number(this.mbit.input.value)];
      await post("network", { rtt_ms: rtt, mbit, bot_limits: this.limits.input.checked });
      toast("The network is set");
    };
    this.network = row(this.rtt, this.mbit, this.limits, act("Set the network", set));
    return this.network;
  }

  async showCalls() {
    const sums = new Map();
    for (const [method, count] of Object.values(await get("calls")).flatMap(Object.entries)) {
      sums.set(method, (sums.get(method) ?? 0) + count);
    }
    const rows = [...sums].sort((a, b) => b[1] - a[1]).map(([method, count]) =>
      el("tr", {}, el("th", { scope: "row" }, method), el("td", {}, count.toLocaleString("en-GB"))));
    this.calls.replaceChildren(rows.length ? el("table", {}, ...rows) : "No call yet.");
  }

  callsForm() {
    const reset = () => remove("calls").then(() => this.showCalls());
    return row(act("Refresh", () => this.showCalls()), act("Reset", reset));
  }

  clockForm() {
    const minutes = field("Minutes", 60, { min: 1 });
    const advance = () => post("clock", { advance_s: Number(minutes.input.value) * 60 }).then(this.desk.reload);
    return row(minutes, act("Put it forward", advance));
  }
}
