/** What people, bots and channels are called: asked for once, many at a time. */

import { get } from "./api.js";

const AT_ONCE = 100;
const known = new Map();
const waiting = new Map(); // peer -> the elements that are to say its name

export const learn = (peer, name) => known.set(peer, name);

/** Put the name into the element, now or as soon as it is known. */
export function writeName(element, peer) {
  element.textContent = known.get(peer) ?? "…";
  if (known.has(peer)) return element;
  if (!waiting.size) setTimeout(askAll);
  waiting.set(peer, [...(waiting.get(peer) ?? []), element]);
  return element;
}

async function askAll() {
  while (waiting.size) {
    const peers = [...waiting.keys()].slice(0, AT_ONCE);
    const names = await get(`names?of=${peers.join(",")}`).catch(() => ({}));
    for (const peer of peers) {
      if (peer in names) learn(peer, names[peer]);
      for (const element of waiting.get(peer)) element.textContent = names[peer] ?? `#${peer}`;
      waiting.delete(peer);
    }
  }
}
