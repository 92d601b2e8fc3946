/** Building what is shown. Whatever people or bots have written goes in as text, never as markup. */

/**
 * @param {Object} [properties] `aria-…`, `data-…`, `role` become attributes, `on…` listeners, the rest properties
 * @param {...(Node|string|undefined|null|false)} children
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (/^(aria-|data-|role$)/.test(name)) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter(Boolean));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** @param {(event: Event, made: Element) => *} act not begun a second time while it is under way */
export function button(properties, act, ...children) {
  const made = el("button", { type: "button", ...properties }, ...children);
  made.addEventListener("click", (event) => busy(made, () => act(event, made)));
  return made;
}

export async function busy(element, act) {
  if (element.getAttribute("aria-busy") === "true") return;
  element.setAttribute("aria-busy", "true");
  try {
    await act();
  } finally {
    element.removeAttribute("aria-busy");
  }
}

const HUES = [210, 265, 15, 150, 335, 185, 35];

export function avatar(element, title, peer) {
  const words = title.match(/[\p{L}\p{N}]+/gu) ?? [title || "?"];
  element.textContent = words.slice(0, 2).map((word) => [...word][0]).join("").toUpperCase();
  element.style.setProperty("--hue", HUES[Math.abs(peer) % HUES.length]);
  return element;
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const short = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const isSameDay = (a, b) => new Date(a * 1000).toDateString() === new Date(b * 1000).toDateString();

/** Dates are seconds since 1970; `now` is the sandbox's, whose clock may be put forward. */
export const timeOf = (date) => clock.format(date * 1000);
export const dayOf = (date, now) => (isSameDay(date, now) ? "Today" : day.format(date * 1000));
export const momentOf = (date, now) => (isSameDay(date, now) ? timeOf(date) : short.format(date * 1000));
export const fullTime = (date) => `${day.format(date * 1000)}, ${timeOf(date)}`;

export function sizeOf(bytes) {
  const power = Math.min(3, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1000 ** power).toFixed(power && 1)} ${["B", "KB", "MB", "GB"][power]}`;
}

export const counted = (count, one, many = `${one}s`) => `${count.toLocaleString("en-GB")} ${count === 1 ? one : many}`;
