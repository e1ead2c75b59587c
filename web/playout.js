// What the agent has sent and the caller has not yet heard: a queue of audio with marks in it.

import { decode } from "./mulaw.js";

/** Plays like a carrier: in order, marks reported when reached, a clear returns those not reached. */
export class Playout {
  #chunks = []; // mu-law bytes, 8 kHz
  #offset = 0; // into the first chunk
  #marks = []; // {name, at}, `at` in samples since the beginning
  #written = 0;
  #played = 0;

  /** Samples sent and not yet played. */
  get queued() {
    return this.#written - this.#played;
  }

  add(bytes) {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#written += bytes.length;
  }

  mark(name) {
    this.#marks.push({ name, at: this.#written });
  }

  /** Drops all audio; gives the names of the marks that were still waiting, in order. */
  clear() {
    this.#chunks = [];
    this.#offset = 0;
    this.#written = this.#played;
    return this.#marks.splice(0).map((mark) => mark.name);
  }

  /** The next sample, -1 to 1; silence where there is none, which is not counted as played. */
  next() {
    if (this.#chunks.length === 0) return 0;
    const sample = decode(this.#chunks[0][this.#offset]);
    this.#offset += 1;
    this.#played += 1;
    if (this.#offset === this.#chunks[0].length) {
      this.#chunks.shift();
      this.#offset = 0;
    }
    return sample;
  }

  /** The names of the marks reached since the last time, in order. */
  reached() {
    const ahead = this.#marks.findIndex((mark) => mark.at > this.#played);
    return this.#marks.splice(0, ahead < 0 ? this.#marks.length : ahead).map((mark) => mark.name);
  }
}
