/** Texts with entities as the Bot API writes them: offsets and lengths in UTF-16 units, as JavaScript counts too. */

import { el } from "./dom.js";

const PLAIN_TAGS = {
  bold: "strong",
  italic: "em",
  underline: "u",
  strikethrough: "s",
  code: "code",
  blockquote: "blockquote",
};
const SAFE_SCHEMES = new Set(["http:", "https:", "tg:"]);

/**
 * @param {Object} actions `command(text)`, `link(url)`: true when the page itself has followed it
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
    if (start > at) nodes.push(document.createTextNode(text.slice(at, start)));
    const inner = build(text, start, end, entities.slice(index + 1), actions);
    nodes.push(wrap(entity, text.slice(start, end), inner, actions));
    at = end;
  });
  if (at < to) nodes.push(document.createTextNode(text.slice(at, to)));
  return nodes;
}

function wrap(entity, text, inner, actions) {
  if (Object.hasOwn(PLAIN_TAGS, entity.type)) return el(PLAIN_TAGS[entity.type], {}, ...inner);
  switch (entity.type) {
    case "pre": {
      const made = el("pre", {}, el("code", {}, ...inner));
      if (entity.language) made.dataset.language = entity.language;
      return made;
    }
    case "expandable_blockquote":
      return expandable(inner);
    case "spoiler":
      return spoiler(inner);
    case "text_link":
      return link(entity.url, inner, actions);
    case "url":
      return link(/^[a-z]+:/i.test(text) ? text : `https://${text}`, inner, actions);
    case "mention":
      return link(`https://t.me/${text.slice(1)}`, inner, actions);
    case "bot_command":
      return el("button", { type: "button", className: "link", onclick: () => actions.command(text) }, ...inner);
    default:
      return el("span", {}, ...inner);
  }
}

function link(address, inner, actions) {
  const url = safeUrl(address);
  if (url === null) return el("span", {}, ...inner);
  const follow = (event) => actions.link(url) && event.preventDefault();
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer", onclick: follow }, ...inner);
}

/** The address if it leads to where a link may lead, else null. */
export function safeUrl(address) {
  const url = URL.canParse(address) ? new URL(address) : null;
  return url !== null && SAFE_SCHEMES.has(url.protocol) ? url.href : null;
}

function spoiler(inner) {
  const hidden = el("span", { className: "spoiler", role: "button", tabIndex: 0, "aria-label": "Hidden text" });
  const content = el("span", { "aria-hidden": "true" }, ...inner);
  hidden.append(content);
  onPress(hidden, () => {
    hidden.replaceWith(...content.childNodes);
  });
  return hidden;
}

function expandable(inner) {
  const quote = el("blockquote", { className: "expandable", role: "button", tabIndex: 0, "aria-expanded": "false" });
  quote.append(...inner);
  onPress(quote, () => quote.setAttribute("aria-expanded", String(quote.getAttribute("aria-expanded") === "false")));
  return quote;
}

function onPress(element, act) {
  element.addEventListener("click", act);
  element.addEventListener("keydown", (event) => {
    if (event.target !== element || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    act();
  });
}
