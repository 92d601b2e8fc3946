/** Texts with entities as the Bot API writes them: offsets and lengths in UTF-16 units, as JavaScript counts too. */

import { el } from "./dom.js";

const TAGS = {
  bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", blockquote: "blockquote",
};
const SAFE_SCHEMES = new Set(["http:", "https:", "tg:"]);

/** The address if it leads to where a link may lead, else null. One without a scheme is of the web. */
export function safeUrl(address) {
  const whole = /^[a-z][a-z\d+.-]*:/i.test(address) ? address : `https://${address}`;
  const url = URL.canParse(whole) ? new URL(whole) : null;
  return url !== null && SAFE_SCHEMES.has(url.protocol) ? url : null;
}

/**
 * @param {Object} actions `command(text)`; `link(url)`: whether the page has followed it by itself
 * @returns {Node[]}
 */
export function formatted(text, entities, actions) {
  const ordered = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return build(text, 0, text.length, ordered, actions);
}

/** What overlaps without nesting is cut where the outer one ends, and goes on behind it. */
function build(text, from, to, entities, actions) {
  const nodes = [];
  let at = from;
  entities.forEach((entity, index) => {
    const start = Math.max(entity.offset, at);
    const end = Math.min(entity.offset + entity.length, to);
    if (end <= start) return;
    const inner = build(text, start, end, entities.slice(index + 1), actions);
    nodes.push(text.slice(at, start), wrap(entity, text.slice(start, end), inner, actions));
    at = end;
  });
  nodes.push(text.slice(at, to));
  return nodes;
}

function wrap(entity, text, inner, actions) {
  switch (entity.type) {
    case "pre":
      return el("pre", entity.language ? { "data-language": entity.language } : {}, el("code", {}, ...inner));
    case "spoiler":
      return spoiler(inner);
    case "expandable_blockquote":
      return expandable(inner);
    case "text_link":
      return link(entity.url, inner, actions);
    case "url":
      return link(text, inner, actions);
    case "mention":
      return link(`https://t.me/${text.slice(1)}`, inner, actions);
    case "bot_command":
      return el("button", { type: "button", className: "link", onclick: () => actions.command(text) }, ...inner);
    default:
      return el(Object.hasOwn(TAGS, entity.type) ? TAGS[entity.type] : "span", {}, ...inner);
  }
}

function link(address, inner, actions) {
  const url = safeUrl(address);
  if (url === null) return el("span", {}, ...inner);
  const onclick = (event) => actions.link(url) && event.preventDefault();
  return el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer", onclick }, ...inner);
}

function spoiler(inner) {
  const content = el("span", { "aria-hidden": "true" }, ...inner);
  const said = { className: "spoiler", role: "button", tabIndex: 0, "aria-label": "Hidden text" };
  const hidden = el("span", said, content);
  return pressed(hidden, () => hidden.replaceWith(...content.childNodes));
}

function expandable(inner) {
  const quote = el("blockquote", { role: "button", tabIndex: 0, "aria-expanded": "false" }, ...inner);
  return pressed(quote, () => quote.setAttribute("aria-expanded", String(quote.ariaExpanded !== "true")));
}

/** By mouse and by key. */
function pressed(element, act) {
  element.addEventListener("click", act);
  element.addEventListener("keydown", (event) => {
    if (event.target !== element || !["Enter", " "].includes(event.key)) return;
    event.preventDefault();
    act();
  });
  return element;
}
