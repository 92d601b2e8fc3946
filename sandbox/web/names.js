/** What people, bots and channels are called: asked for once, several at a time. */

import { get } from "./api.js";

const AT_ONCE = 100;
const known = new Map();
const waiting = new Map(); // peer -> elements that are to say its name
let asking = false;

export function learn(peer, name) {
  known.set(peer, name);
}

export const nameOf = (peer) => known.get(peer) ?? "…";

/** Put the name into the element, now or as soon as it is known. */
export function writeName(element, peer) {
  element.textContent = nameOf(peer);
  if (known.has(peer)) return element;
  waiting.set(peer, [...(waiting.get(peer) ?? []), element]);
  if (!asking) {
    asking = true;
    queueMicrotask(() => askAll().finally(() => (asking = false)));
  }
  return element;
}

async function askAll() {
  while (waiting.size) {
    const peers = [...waiting.keys()].slice(0, AT_ONCE);
    const names = await get(`names?of=${peers.join(",")}`).catch(() => ({}));
    for (const peer of peers) {
      if (names[peer] !== undefined) learn(peer, names[peer]);
      for (const element of waiting.get(peer)) element.textContent = names[peer] ?? `#${peer}`;
      waiting.delete(peer);
    }
  }
}
