// Talks to the server that the page came from. The token, where one is wanted, lives in this module and nowhere else.

let token = null;

export function setToken(value) {
  token = value || null;
}

const TITLES = {
  401: "This server wants a token",
  404: "This is not there",
  422: "The server cannot use this request",
  503: "The server is busy",
  504: "The server took too long",
};

/** What went wrong, in words: from an RFC 9457 body where there is one. `status` is 0 when nothing answered. */
export class Problem extends Error {
  constructor({ status, title, detail = "", retryAfter = null }) {
    super(detail);
    const refused = status === 401 && token !== null;
    Object.assign(this, { status, title, detail, retryAfter, refused });
  }

  /** What to do about it; null when nobody knows. */
  get advice() {
    if (this.status === 0) return "Is nextvec serve still running? Start it again, then try again.";
    if (this.refused) return "The token was not accepted. Enter the one that the server was started with.";
    if (this.status === 401) return "Enter the token that the server was started with.";
    if (this.status === 404) return "It may have been removed or renamed; reload the page to see what is there.";
    if (this.status === 422) return "Change the text or the options, then run it again.";
    if (this.status === 503) return `Try again in ${this.retryAfter ?? "a few"} seconds.`;
    if (this.status >= 500) return "This is a fault of the server. Its log says more.";
    return null;
  }
}

/** JSON from a GET request. Throws Problem. */
export async function get(path, signal) {
  const response = await send(path, { signal, headers: headers() });
  return response.json();
}

/** {tag, value} of a GET request; `value` is null where nothing has changed since the answer of that tag. */
export async function getChanged(path, tag, signal) {
  const known = tag ? { "If-None-Match": tag } : {};
  const response = await reach(path, { signal, cache: "no-store", headers: { ...headers(), ...known } });
  if (response.status === 304) return { tag, value: null };
  if (!response.ok) throw await problemOf(response);
  return { tag: response.headers.get("ETag"), value: await response.json() };
}

/** `documents` in the order in which the model expects them. Throws Problem, AbortError when aborted. */
export async function rerank(request, signal) {
  const response = await post("/v1/rerank", request, signal);
  return response.json();
}

/** The continuation of a text, event by event as the server sends them. Throws Problem, AbortError when aborted. */
export async function* complete(request, signal) {
  const response = await post("/v1/completions", { ...request, stream: true }, signal);
  for await (const data of events(response.body)) {
    if (data === "[DONE]") return;
    const event = JSON.parse(data);
    if (event.status >= 400) throw fromBody(event, event.status, null);
    yield event;
  }
  throw brokenOff();
}

const brokenOff = () =>
  new Problem({ status: 0, title: "The answer broke off", detail: "The server closed the connection early." });

const headers = () => (token ? { Authorization: `Bearer ${token}` } : {});

/** {status, models, faults} of the server, ready or not. */
export async function readiness(signal) {
  const response = await reach("/health/ready", { signal });
  return response.json();
}

const post = (path, request, signal) =>
  send(path, {
    method: "POST",
    signal,
    headers: { ...headers(), "Content-Type": "application/json" },
    body: JSON.stringify(request),
  });

async function send(path, options) {
  const response = await reach(path, options);
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function reach(path, options) {
  if (/[^ -ÿ]/.test(token ?? "")) throw fromBody({}, 401, null);
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ status: 0, title: "The server does not answer", detail: "No connection could be made." });
  }
}

async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  const retryAfter = Number(response.headers.get("Retry-After")) || null;
  return fromBody(body, response.status, retryAfter);
}

function fromBody(body, status, retryAfter) {
  const title = TITLES[status] ?? body.title ?? `The server answered ${status}`;
  return new Problem({ status, title, detail: body.detail ?? "", retryAfter });
}

/** A connection lost in the middle; an abort stays what it is. */
function lost(error) {
  throw error.name === "AbortError" ? error : brokenOff();
}

/** The data of each server-sent event of a stream. */
async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read().catch(lost);
    if (done) return;
    buffer = (buffer + value).replaceAll("\r\n", "\n");
    const blocks = buffer.split("\n\n");
    buffer = blocks.pop();
    for (const block of blocks) {
      const lines = block.split("\n").filter((line) => line.startsWith("data:"));
      if (lines.length) yield lines.map((line) => line.slice(5).trimStart()).join("\n");
    }
  }
}
