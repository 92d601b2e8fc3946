/** The sandbox itself: its truth, and what can be done to it. */

import { get, post, remove } from "./api.js";
import { button, byId, counted, el, fullTime } from "./dom.js";
import { attempt, toast } from "./dialogs.js";

const number = (label, value, more = {}) =>
  el("label", {}, label, el("input", { type: "number", value, min: 0, "aria-label": label, ...more }));
const text = (label, value = "") => el("label", {}, label, el("input", { type: "text", value, "aria-label": label }));
const valueOf = (label) => label.querySelector("input").value;
const numberOf = (label) => Number(valueOf(label));

function section(title, ...content) {
  return el("details", { open: title === "Channels" }, el("summary", {}, title), ...content);
}

const act = (label, does) => button(label, () => attempt(does));

export class Panel {
  /** @param {Object} desk `person`: whom one plays; `changed()`: the list of chats may be another one */
  constructor(desk) {
    this.desk = desk;
    this.place = byId("panel");
    this.toggle = byId("panel-toggle");
    this.channels = el("div");
    this.accounts = el("div");
    this.faults = el("ul", { className: "plain" });
    this.calls = el("div");
    this.now = el("p");
    this.toggle.addEventListener("click", () => this.show(this.place.hidden));
    this.place.addEventListener("keydown", (event) => event.key === "Escape" && this.show(false));
    const close = el("button", { type: "button", className: "icon", "aria-label": "Close the panel" }, "✕");
    close.addEventListener("click", () => this.show(false));
    this.place.append(
      el("header", { className: "bar" }, el("h2", {}, "Sandbox"), close),
      section("Channels", this.channels),
      section("Accounts", el("p", { className: "muted" }, "All of it is made up. Login codes come in the chat with Telegram."),
        this.accounts),
      section("Faults", ...this.faultForm()),
      section("Calls", this.calls, act("Refresh", () => this.showCalls()),
        act("Reset", () => remove("calls").then(() => this.showCalls()))),
      section("Clock", this.now, ...this.clockForm()));
  }

  show(open) {
    this.place.hidden = !open;
    document.body.classList.toggle("with-panel", open);
    this.toggle.setAttribute("aria-expanded", String(open));
    if (open) attempt(() => this.refresh());
    else this.toggle.focus();
  }

  /** The truth has changed. */
  async refresh() {
    if (this.place.hidden) return;
    const [state] = await Promise.all([get("state"), this.showCalls(), this.showFaults(), this.showAccounts()]);
    for (const channel of state.channels) this.showChannel(channel);
    this.now.textContent = fullTime(state.now);
  }

  // -- channels

  /** What is typed there stays: only the figures are drawn anew. */
  showChannel(channel) {
    const known = this.channels.querySelector(`[data-peer="${channel.id}"]`) ?? this.channelForm(channel);
    const figures = [`${channel.pending_requests.toLocaleString("en-GB")} waiting`,
      counted(channel.members, "member"), counted(channel.messages, "message")];
    known.querySelector(".figures").textContent = figures.join(" · ");
  }

  channelForm({ id, title, private: isPrivate, username }) {
    const count = number("People", 1, { min: 1, max: 100000 });
    const said = text("Text", "News from the harbour");
    const name = text("File name");
    const size = number("File size, bytes", 100000, { min: 1 });
    const send = async () => {
      const file = valueOf(name) && { file: { name: valueOf(name), size: numberOf(size) } };
      await post(`channels/${id}/posts`, { text: valueOf(said), ...file });
    };
    const ask = async () => {
      const { asked } = await post(`channels/${id}/requests`, { count: numberOf(count) });
      toast(`${counted(asked.length, "person asks", "people ask")} to join`);
    };
    const made = el("fieldset", { "data-peer": id },
      el("legend", {}, title), el("p", { className: "muted" }, isPrivate ? "private" : `@${username}`),
      el("p", { className: "figures" }),
      el("div", { className: "row" }, count, act("Ask to join", ask),
        act("Ask to join as me", () => this.desk.person.askToJoin(id).then(() => toast("You have asked to join")))),
      el("div", { className: "row" }, said, name, size, act("Post", send)));
    this.channels.append(made);
    return made;
  }

  // -- accounts

  async showAccounts() {
    const accounts = await get("accounts");
    if (this.accounts.childElementCount === accounts.length) return;
    this.accounts.replaceChildren(...accounts.map((account) => {
      const facts = { Phone: account.phone, Password: account.password ?? "none", "API id": account.api_id,
        "API hash": account.api_hash };
      const list = Object.entries(facts).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, String(value))]);
      const revoke = () => post("faults", { revoke: account.id }).then(() => toast(`${account.name} is signed out everywhere`));
      return el("fieldset", {}, el("legend", {}, account.name), el("dl", {}, ...list), act("Revoke sessions", revoke));
    }));
  }

  // -- faults and the network

  faultForm() {
    const method = text("Method", "messages.getHistory");
    const error = text("Error", "FLOOD_WAIT_5");
    const times = number("Times", 1, { min: 1 });
    const delay = number("Delay, ms", 0);
    const drop = el("label", { className: "check" }, el("input", { type: "checkbox" }), "Drop the connection");
    const add = async () => {
      const isDrop = drop.querySelector("input").checked;
      const fault = { method: valueOf(method), drop: isDrop, delay_ms: numberOf(delay), times: numberOf(times) };
      await post("faults", valueOf(error) && !isDrop ? { ...fault, error: valueOf(error) } : fault);
      await this.showFaults();
    };
    this.rtt = number("Round trip, ms", 0);
    this.mbit = number("Mbit/s (0: all there is)", 0);
    this.limits = el("label", { className: "check" }, el("input", { type: "checkbox" }), "Limits of the Bot API");
    const shape = async () => {
      const bot_limits = this.limits.querySelector("input").checked;
      await post("network", { rtt_ms: numberOf(this.rtt), mbit: numberOf(this.mbit), bot_limits });
      toast("The network is set");
    };
    get("network").then((network) => {
      this.rtt.querySelector("input").value = network.rtt_ms;
      this.mbit.querySelector("input").value = network.mbit;
      this.limits.querySelector("input").checked = network.bot_limits;
    }, () => {});
    return [this.faults,
      el("div", { className: "row" }, method, error, times, delay, drop, act("Add", add),
        act("Clear", () => remove("faults").then(() => this.showFaults()))),
      el("h3", {}, "Network"),
      el("div", { className: "row" }, this.rtt, this.mbit, this.limits, act("Set the network", shape))];
  }

  async showFaults() {
    const waiting = await get("faults");
    const told = waiting.map(({ method, error, drop, delay_ms: delay, times }) =>
      `${method}: ${[delay && `${delay} ms late`, drop && "dropped", error].filter(Boolean).join(", ")}, ${counted(times, "time")}`);
    this.faults.replaceChildren(...(told.length ? told : ["No fault waits."]).map((line) => el("li", {}, line)));
  }

  // -- calls and the clock

  async showCalls() {
    const sums = new Map();
    for (const counts of Object.values(await get("calls"))) {
      for (const [method, count] of Object.entries(counts)) sums.set(method, (sums.get(method) ?? 0) + count);
    }
    const rows = [...sums].sort((a, b) => b[1] - a[1]).map(([method, count]) =>
      el("tr", {}, el("th", { scope: "row" }, method), el("td", {}, count.toLocaleString("en-GB"))));
    this.calls.replaceChildren(rows.length ? el("table", {}, el("tbody", {}, ...rows)) : el("p", {}, "No call yet."));
  }

  clockForm() {
    const minutes = number("Minutes", 60, { min: 1 });
    const advance = () => post("clock", { advance_s: numberOf(minutes) * 60 }).then(({ now }) => {
      this.now.textContent = fullTime(now);
      this.desk.changed();
    });
    return [el("div", { className: "row" }, minutes, act("Put it forward", advance))];
  }
}
