/** The control API: docs/sandbox.md. The browser's cookie opens it. */

export class ApiError extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

/** @param {Object|FormData} [body] a form, or what is sent as JSON. Throws ApiError; its status is 0 for no answer. */
async function call(method, path, body) {
  const isForm = body instanceof FormData;
  const headers = body && !isForm ? { "Content-Type": "application/json" } : {};
  const options = { method, headers, body: isForm ? body : JSON.stringify(body) };
  const response = await fetch(`/sandbox/${path}`, options).catch(() => {
    throw new ApiError(0, "The sandbox does not answer");
  });
  const answer = await response.json().catch(() => ({ error: `The sandbox answered ${response.status}` }));
  if (!response.ok) throw new ApiError(response.status, answer.error);
  return answer;
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);
export const remove = (path) => call("DELETE", path);
export const fileUrl = (id) => `/sandbox/files/${id}`;

/** What one account does and sees. */
export class Person {
  constructor(id) {
    this.id = id;
  }

  chats = () => get(`chats?as=${this.id}`);
  commands = (peer) => get(`chats/${peer}/commands?as=${this.id}`);
  send = (peer, content) => post(`chats/${peer}/messages?as=${this.id}`, content);
  scan = (peer, message) => post(`accounts/${this.id}/accept-login`, { peer, message });
  askToJoin = (peer) => post(`channels/${peer}/requests`, { account: this.id });

  /** The newest `limit`; with `before`, of those before that id. */
  messages = (peer, limit, before) =>
    get(`chats/${peer}/messages?as=${this.id}&limit=${limit}${before ? `&before=${before}` : ""}`);

  press = (peer, id, { data, text }) =>
    post(`chats/${peer}/messages/${id}/press?as=${this.id}`, data === null ? { text } : { data });
}

const EVENTS = ["message", "chats", "state", "commands"];

/**
 * What happens, as that account sees it, until the function is called that this returns. After a break it goes on.
 * @param {Object} handlers by event; `open` at each connection, `lost` with what the reader should know
 */
export function listen(account, handlers) {
  let source;
  let again;
  const connect = () => {
    source = new EventSource(`/sandbox/events?as=${account}`);
    source.onopen = handlers.open;
    source.onerror = lost;
    for (const name of EVENTS) source.addEventListener(name, (event) => handlers[name](JSON.parse(event.data)));
  };
  const lost = async () => {
    const mine = source;
    handlers.lost("The sandbox does not answer… trying again.");
    if (mine.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    const error = await get("state").then(() => null, (caught) => caught);
    if (mine !== source) return;
    if (error?.status === 403) handlers.lost("The sandbox was started anew: open the address that it printed.");
    again = setTimeout(connect, 1500);
  };
  connect();
  return () => {
    clearTimeout(again);
    source.close();
    source = null;
  };
}
