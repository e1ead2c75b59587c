// One call, from its announcement to its end: joins the line, the stream and the server's news.

import { Stream } from "./stream.js";

const UNREACHABLE = "The server cannot be reached. Is it running?";

/** A JSON request to the console. Its error's message is a sentence for the caller. */
export async function ask(path, body) {
  const post = { method: "POST", headers: { "Content-Type": "application/json" } };
  const response = await fetch(path, body && { ...post, body: JSON.stringify(body) }).catch(() => {
    throw new Error(UNREACHABLE);
  });
  if (response.ok) return response.status === 204 ? null : response.json();
  const answer = await response.json().catch(() => null);
  throw new Error(answer?.error?.message ?? `The server answered ${response.status}.`);
}

/** How a call can end, as the server tells it; `closed` is for what it does not tell. */
const ENDINGS = {
  goodbye: "The agent hung up",
  idle: "The agent hung up because it heard nothing",
  time_limit: "The call reached its longest time",
  failed: "The agent had to give up",
  not_started: "The call did not start",
  shutdown: "The server is going down",
  closed: "The other side ended the call",
};
const NEWS_WITHIN_MS = 500; // the news travels beside the socket and may come after its closing

export class Call {
  #announced;
  #line;
  #callbacks;
  #news;
  #socket = null;
  #stream;
  #ending = null; // how the call ended, once the news tells
  #ended = false;

  /**
   * `announced` is the answer of POST /console/call. `onNews(event)` gets the live events,
   * `onStarted()` comes when the line is open and `onEnded(reason)` once, whoever ended the call.
   */
  constructor(announced, line, callbacks) {
    this.#announced = announced;
    this.#line = line;
    this.#callbacks = callbacks;
    this.#stream = new Stream((text) => this.#socket.send(text), announced);
    this.#news = new EventSource(announced.events);
    this.#news.onmessage = ({ data }) => this.#read(JSON.parse(data));
    // First the news, then the call: the greeting's caption comes at once. Without news, talk anyway.
    this.#news.onopen = this.#news.onerror = () => this.#openSocket();
  }

  /** `chosen`: what stands behind the path, "?agent=..." or nothing. */
  static async announce(chosen = "") {
    return ask(`/console/call${chosen}`, {});
  }

  /** One frame of the caller's audio. */
  frame(bytes) {
    if (this.#open) this.#stream.media(bytes);
  }

  /** Playback has reached this mark. */
  marked(name) {
    if (this.#open) this.#stream.mark(name);
  }

  press(digit) {
    if (this.#open) this.#stream.dtmf(digit);
  }

  /** A whole turn, typed. */
  async type(text) {
    await ask(this.#announced.text, { text });
  }

  hangUp() {
    if (this.#open) this.#stream.stop();
    this.#end("You hung up");
  }

  get #open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  #openSocket() {
    if (this.#socket || this.#ended) return;
    const address = new URL(this.#announced.url, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    this.#socket = new WebSocket(address);
    this.#socket.onopen = () => {
      this.#stream.start(this.#announced.parameters);
      this.#callbacks.onStarted();
    };
    this.#socket.onmessage = ({ data }) => this.#obey(this.#stream.read(data));
    // 1000 is the plain end of a call; refusals say in `reason` what is wrong.
    this.#socket.onclose = ({ code, reason, wasClean }) => {
      if (!wasClean) this.#end("The connection was lost");
      else if (code !== 1000) this.#end(reason || ENDINGS.closed);
      else if (this.#ending) this.#end(this.#ending);
      else setTimeout(() => this.#end(this.#ending ?? ENDINGS.closed), NEWS_WITHIN_MS);
    };
  }

  #obey(message) {
    if (message?.audio) this.#line.play(message.audio);
    if (message?.mark !== undefined) this.#line.mark(message.mark);
    if (message?.clear) this.#line.clear();
  }

  // The socket's closing ends the call; the news only tells why, and would else reconnect.
  #read(event) {
    if (event.type === "ended") {
      this.#ending = ENDINGS[event.reason] ?? ENDINGS.closed;
      this.#news.close();
    }
    this.#callbacks.onNews(event);
  }

  #end(reason) {
    if (this.#ended) return;
    this.#ended = true;
    this.#news.close();
    this.#socket?.close();
    this.#callbacks.onEnded(reason);
  }
}
