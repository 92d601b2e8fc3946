/** What stands above the page for a moment: toasts, alerts, questions, menus. */

import { ApiError } from "./api.js";
import { busy, button, byId, el } from "./dom.js";

const TOAST_MS = 4000;
let fading;

export function toast(text) {
  byId("toast").textContent = text;
  clearTimeout(fading);
  fading = setTimeout(() => byId("toast").replaceChildren(), TOAST_MS);
}

/** Do it; what the sandbox refuses is said in a toast, and undefined returned. */
export async function attempt(act) {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.message);
    return undefined;
  }
}

/** A dialog that resolves with what it was closed with; null after Escape or a click beside it. */
function open(properties, fill) {
  return new Promise((resolve) => {
    let answer = null;
    const close = (value) => {
      answer = value;
      dialog.close();
    };
    const dialog = el("dialog", properties, ...fill(close));
    dialog.addEventListener("click", (event) => event.target === dialog && close(null));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

const heading = (title, close) =>
  el("header", {}, el("h2", {}, title), button({ className: "icon", "aria-label": "Close" }, () => close(null), "✕"));

export function alertDialog(text) {
  return open({ role: "alertdialog", "aria-label": "The bot says" }, (close) => [
    el("p", {}, text),
    button({ className: "primary", autofocus: true }, () => close(null), "OK"),
  ]);
}

/** @param {{label: string, value: *}[]} options @returns the value chosen, or null */
export function choose(title, options) {
  return open({ "aria-label": title }, (close) => [
    heading(title, close),
    ...options.map(({ label, value }) => button({ className: "option" }, () => close(value), label)),
    !options.length && el("p", { className: "muted" }, "There is none to choose."),
  ]);
}

/** @returns the text typed, or null */
export function ask(title, value) {
  return open({ "aria-label": title }, (close) => {
    const field = el("textarea", { value, rows: 5, autofocus: true, "aria-label": title });
    return [heading(title, close), field, button({ className: "primary" }, () => close(field.value), "Save")];
  });
}

/** A menu at that button. @param {{label: string, detail?: string, act: Function}[]} items */
export function menu(anchor, label, items) {
  const made = el("div", { role: "menu", className: "menu", "aria-label": label });
  const leaving = new AbortController();
  const close = (refocus) => {
    leaving.abort();
    made.remove();
    anchor.setAttribute("aria-expanded", "false");
    if (refocus) anchor.focus();
  };
  for (const { label: name, detail, act } of items) {
    const chosen = () => {
      close(true);
      busy(anchor, act);
    };
    const words = [el("span", {}, name), detail && el("small", {}, detail)];
    made.append(el("button", { type: "button", role: "menuitem", tabIndex: -1, onclick: chosen }, ...words));
  }
  made.addEventListener("keydown", (event) => {
    const places = [...made.children];
    const at = places.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (next !== undefined) places.at(next % places.length).focus();
    else if (event.key === "Escape" || event.key === "Tab") close(true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const { signal } = leaving;
  document.addEventListener("pointerdown", ({ target }) => made.contains(target) || close(false), { signal });
  window.addEventListener("resize", () => close(false), { signal });
  document.body.append(made);
  anchor.setAttribute("aria-expanded", "true");
  place(made, anchor.getBoundingClientRect());
  made.firstElementChild.focus();
}

/** Below what it belongs to, or above where there is no room, and inside the window. */
function place(made, at) {
  const { offsetWidth: width, offsetHeight: height } = made;
  const isRoom = at.bottom + height + 8 < window.innerHeight;
  made.style.left = `${Math.max(8, Math.min(at.left, window.innerWidth - width - 8))}px`;
  made.style.top = `${isRoom ? at.bottom + 4 : Math.max(8, at.top - height - 4)}px`;
}
