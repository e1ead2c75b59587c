// A line carries sound between the person at the page and the call. Two kinds: one through the
// sound card, and a silent one for browsers that give this page no sound at all.
//
// Both have: play(bytes), mark(name), clear(), useMicrophone(), mute(on), close(). Both call back:
//   onFrame(frame, {caller, agent})   every 20 ms, mu-law and the loudness of both sides
//   onMark(name)                      playback has reached the mark, or a clear has dropped it

import { SILENCE } from "./mulaw.js";
import { Playout } from "./playout.js";
import { FRAME_BYTES, FRAME_MS } from "./stream.js";

/** Where there is no microphone: why, as a sentence for the caller. */
export class NoMicrophone extends Error {}

const WHY = {
  NotAllowedError:
    "The browser does not let this page use the microphone. Allow it beside the address bar, then try again.",
  NotFoundError: "No microphone was found. Plug one in, then try again.",
  NotReadableError: "Another program is using the microphone. Close it, then try again.",
};
const INSECURE =
  "Browsers give the microphone only to https pages and to localhost. Open this page there to talk.";

/** The line through the sound card. Open it in answer to a click: browsers want one before sound. */
export class SoundLine {
  #context;
  #telephone;
  #microphone = null; // a MediaStream
  #source = null; // kept, or Firefox collects it and the microphone falls silent
  #muted = false;

  constructor(context, telephone, { onFrame, onMark }) {
    this.#context = context;
    this.#telephone = telephone;
    telephone.port.onmessage = ({ data: { frame, caller, agent, marks } }) => {
      if (frame) onFrame(frame, { caller, agent });
      else marks.forEach(onMark);
    };
  }

  static async open(callbacks) {
    const context = new AudioContext({ latencyHint: "interactive" });
    await Promise.all([context.resume(), context.audioWorklet.addModule("/static/worklet.js")]);
    const telephone = new AudioWorkletNode(context, "telephone", { outputChannelCount: [1] });
    telephone.connect(context.destination);
    return new SoundLine(context, telephone, callbacks);
  }

  /** Asks for the microphone; throws NoMicrophone. */
  async useMicrophone() {
    const wishes = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    try {
      this.#microphone = await navigator.mediaDevices.getUserMedia({ audio: wishes });
    } catch (error) {
      throw new NoMicrophone(WHY[error.name] ?? `The microphone did not start: ${error.message}`);
    }
    if (this.#context.state === "closed") return this.#stopMicrophone();
    this.mute(this.#muted);
    this.#source = this.#context.createMediaStreamSource(this.#microphone);
    this.#source.connect(this.#telephone);
  }

  mute(on) {
    this.#muted = on;
    for (const track of this.#microphone?.getTracks() ?? []) track.enabled = !on;
  }

  play(bytes) {
    this.#telephone.port.postMessage({ play: bytes }, [bytes.buffer]);
  }

  mark(name) {
    this.#telephone.port.postMessage({ mark: name });
  }

  clear() {
    this.#telephone.port.postMessage({ clear: true });
  }

  close() {
    this.#telephone.port.onmessage = null;
    this.#stopMicrophone();
    return this.#context.close();
  }

  #stopMicrophone() {
    for (const track of this.#microphone?.getTracks() ?? []) track.stop();
  }
}

/** A line without sound, driven by a timer: typing and captions work, marks keep their time. */
export class SilentLine {
  #playout = new Playout();
  #callbacks;
  #timer;
  #nextFrameAt = performance.now();

  constructor(callbacks) {
    this.#callbacks = callbacks;
    this.#timer = setInterval(() => this.#catchUp(), FRAME_MS);
  }

  async useMicrophone() {
    throw new NoMicrophone(INSECURE);
  }

  mute() {}

  play(bytes) {
    this.#playout.add(bytes);
  }

  mark(name) {
    this.#playout.mark(name);
  }

  clear() {
    this.#playout.clear().forEach(this.#callbacks.onMark);
  }

  close() {
    clearInterval(this.#timer);
  }

  // Timers come late, above all in a tab that nobody looks at; the clock says how many frames are due.
  #catchUp() {
    for (; this.#nextFrameAt <= performance.now(); this.#nextFrameAt += FRAME_MS) {
      let energy = 0;
      for (let i = 0; i < FRAME_BYTES; i += 1) energy += this.#playout.next() ** 2;
      const agent = Math.sqrt(energy / FRAME_BYTES);
      this.#callbacks.onFrame(new Uint8Array(FRAME_BYTES).fill(SILENCE), { caller: 0, agent });
      this.#playout.reached().forEach(this.#callbacks.onMark);
    }
  }
}

/** The best line that this browser gives this page. */
export function openLine(callbacks) {
  const sound = window.isSecureContext && "audioWorklet" in AudioContext.prototype;
  return sound ? SoundLine.open(callbacks) : Promise.resolve(new SilentLine(callbacks));
}
