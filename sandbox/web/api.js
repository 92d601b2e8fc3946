/** The control API: docs/sandbox.md. The browser's cookie opens it. */

export class ApiError extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

/** @param {Object|FormData} [body] a form, or what is sent as JSON */
export async function call(method, path, body) {
  const options = { method };
  if (body instanceof FormData) options.body = body;
  else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  let response;
  try {
    response = await fetch(`/sandbox/${path}`, options);
  } catch {
    throw new ApiError(0, "The sandbox does not answer");
  }
  const answer = await response.json().catch(() => ({ error: `The sandbox answered ${response.status}` }));
  if (!response.ok) throw new ApiError(response.status, answer.error);
  return answer;
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);
export const remove = (path) => call("DELETE", path);
export const fileUrl = (id) => `/sandbox/files/${id}`;

/** What one account does. */
export class Person {
  constructor(id) {
    this.id = id;
  }

  chats() {
    return get(`chats?as=${this.id}`);
  }

  commands(peer) {
    return get(`chats/${peer}/commands?as=${this.id}`);
  }

  /** The newest `limit`, or those before an id. */
  messages(peer, limit, before) {
    return get(`chats/${peer}/messages?as=${this.id}&limit=${limit}${before ? `&before=${before}` : ""}`);
  }

  send(peer, content) {
    return post(`chats/${peer}/messages?as=${this.id}`, content);
  }

  upload(peer, file, text) {
    const form = new FormData();
    form.append("text", text);
    form.append("file", file, file.name);
    return this.send(peer, form);
  }

  press(peer, message, key) {
    const body = key.data === null ? { text: key.text } : { data: key.data };
    return post(`chats/${peer}/messages/${message}/press?as=${this.id}`, body);
  }

  scan(peer, message) {
    return post(`accounts/${this.id}/accept-login`, { peer, message });
  }

  askToJoin(peer) {
    return post(`channels/${peer}/requests`, { account: this.id });
  }
}

/**
 * What happens, as that account sees it, until `close` is called. After a break it connects anew by itself.
 * @param {Object} handlers by event; `open` at each connection, `lost` with what the reader should know
 */
export function listen(account, handlers) {
  let source;
  let again;
  let closed = false;

  function connect() {
    source = new EventSource(`/sandbox/events?as=${account}`);
    source.onopen = handlers.open;
    source.onerror = lost;
    for (const name of ["message", "chats", "state", "commands"]) {
      source.addEventListener(name, (event) => handlers[name](JSON.parse(event.data)));
    }
  }

  async function lost() {
    if (closed) return;
    const refused = source.readyState === EventSource.CLOSED;
    if (!refused) return void handlers.lost("The sandbox does not answer… trying again.");
    clearTimeout(again);
    again = setTimeout(connect, 1500);
    const error = await get("state").then(() => null, (caught) => caught);
    if (closed) return;
    if (error?.status === 403) handlers.lost("The sandbox was started anew: open the address that it printed.");
    else handlers.lost("The sandbox does not answer… trying again.");
  }

  connect();
  return () => {
    closed = true;
    clearTimeout(again);
    source.close();
  };
}
