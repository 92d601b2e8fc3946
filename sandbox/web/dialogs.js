/** What stands above the page for a moment: toasts, alerts, menus, questions. */

import { busy, byId, el } from "./dom.js";

const TOAST_MS = 4000;
let fading;

export function toast(text) {
  const place = byId("toast");
  place.textContent = text;
  clearTimeout(fading);
  fading = setTimeout(() => place.replaceChildren(), TOAST_MS);
}

/** Do it; what goes wrong is said in a toast. */
export async function attempt(act) {
  try {
    return await act();
  } catch (error) {
    toast(error.message);
    if (error.status === undefined) throw error;
    return undefined;
  }
}

/** A dialog that resolves with what it was closed with; null after Escape or a click beside it. */
function open(properties, fill) {
  return new Promise((resolve) => {
    const dialog = el("dialog", properties);
    let answer = null;
    const close = (value) => {
      answer = value;
      dialog.close();
    };
    dialog.append(...fill(close));
    dialog.addEventListener("click", (event) => event.target === dialog && close(null));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export function alertDialog(text) {
  const ok = (close) => el("button", { type: "button", className: "primary", autofocus: true, onclick: () => close(null) }, "OK");
  return open({ role: "alertdialog", "aria-label": "The bot says" }, (close) => [el("p", {}, text), ok(close)]);
}

/** @param {{label: string, detail?: string, value: *}[]} options @returns the value chosen, or null */
export function choose(title, options) {
  return open({ "aria-label": title }, (close) => [
    heading(title, close),
    el("div", { className: "options" }, ...options.map(({ label, detail, value }) =>
      el("button", { type: "button", className: "option", onclick: () => close(value) },
        el("span", {}, label), detail && el("small", {}, detail)))),
    options.length === 0 && el("p", { className: "muted" }, "There is none to choose."),
  ].filter(Boolean));
}

/** Several of them, `most` at most. @returns the values chosen, or null */
export function chooseSeveral(title, options, most) {
  return open({ "aria-label": title }, (close) => {
    const boxes = options.map(({ label, value }) => [el("input", { type: "checkbox" }), label, value]);
    const done = el("button", { type: "button", className: "primary", disabled: true }, "Choose");
    const chosen = () => boxes.filter(([box]) => box.checked).map(([, , value]) => value);
    const count = () => {
      done.disabled = chosen().length < 1 || chosen().length > most;
    };
    done.addEventListener("click", () => close(chosen()));
    return [
      heading(title, close),
      el("div", { className: "options", onchange: count },
        ...boxes.map(([box, label]) => el("label", { className: "option" }, box, label))),
      done,
    ];
  });
}

/** @returns the text typed, or null */
export function ask(title, value) {
  return open({ "aria-label": title }, (close) => {
    const field = el("textarea", { value, rows: 5, autofocus: true, "aria-label": title });
    const save = el("button", { type: "button", className: "primary", onclick: () => close(field.value) }, "Save");
    return [heading(title, close), field, save];
  });
}

function heading(title, close) {
  const leave = el("button", { type: "button", className: "icon", "aria-label": "Close", onclick: () => close(null) }, "✕");
  return el("header", {}, el("h2", {}, title), leave);
}

/** A menu at that button. @param {{label: string, detail?: string, act: Function}[]} items */
export function menu(anchor, label, items) {
  const made = el("div", { role: "menu", className: "menu", "aria-label": label });
  const close = (refocus) => {
    made.remove();
    anchor.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
    window.removeEventListener("resize", close);
    if (refocus) anchor.focus();
  };
  const outside = (event) => made.contains(event.target) || close(false);
  for (const { label: name, detail, act } of items) {
    const choice = el("button", { type: "button", role: "menuitem", tabIndex: -1 }, el("span", {}, name),
      detail && el("small", {}, detail));
    choice.addEventListener("click", () => {
      close(true);
      busy(anchor, act);
    });
    made.append(choice);
  }
  made.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    const places = [...made.children];
    if (event.key === "Escape" || event.key === "Tab") close(true);
    else if (event.key in steps) {
      const next = places.indexOf(document.activeElement) + steps[event.key];
      places[(next + places.length) % places.length].focus();
    } else if (event.key === "Home") places[0].focus();
    else if (event.key === "End") places.at(-1).focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  document.body.append(made);
  anchor.setAttribute("aria-expanded", "true");
  place(made, anchor);
  made.firstElementChild?.focus();
  document.addEventListener("pointerdown", outside, true);
  window.addEventListener("resize", close);
}

/** Above or below the button, wherever there is room, and inside the window. */
function place(made, anchor) {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = made;
  const below = at.bottom + height + 8 < window.innerHeight;
  made.style.left = `${Math.max(8, Math.min(at.left, window.innerWidth - width - 8))}px`;
  made.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - height - 4)}px`;
}
