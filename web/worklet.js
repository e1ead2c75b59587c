// The telephone in the audio thread: microphone in, frames out; the agent's audio in, speaker out.
// Both directions run off the one clock of the sound card.

import { encode } from "./mulaw.js";
import { Playout } from "./playout.js";
import { Resampler } from "./resampler.js";
import { FRAME_BYTES } from "./stream.js";

const TELEPHONE_RATE = 8000;

/**
 * In: `{play: Uint8Array}`, `{mark: name}`, `{clear: true}`. Out: `{marks: [names]}` and, every
 * 20 ms, `{frame: Uint8Array, caller, agent}` with both sides' loudness (root mean square, 0 to 1).
 *
 * A mark is reported when its place goes to the sound card, which is the card's latency (some 10 ms)
 * before it is in the air.
 */
class Telephone extends AudioWorkletProcessor {
  #toTelephone = new Resampler(Math.round(sampleRate), TELEPHONE_RATE);
  #toSpeaker = new Resampler(TELEPHONE_RATE, Math.round(sampleRate));
  #playout = new Playout();
  #frame = new Uint8Array(FRAME_BYTES);
  #filled = 0;
  #callerEnergy = 0;
  #agentEnergy = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.#obey(data);
  }

  #obey({ play, mark, clear }) {
    if (play) this.#playout.add(play);
    if (mark !== undefined) this.#playout.mark(mark);
    this.#report(clear ? this.#playout.clear() : this.#playout.reached());
  }

  #report(marks) {
    if (marks.length > 0) this.port.postMessage({ marks });
  }

  process([microphone], [speaker]) {
    const output = speaker[0];
    const input = microphone[0]; // undefined without a microphone: the line is silent
    for (let i = 0; i < output.length; i += 1) {
      output[i] = this.#nextSpeakerSample();
      this.#hear(input ? input[i] : 0);
    }
    for (let channel = 1; channel < speaker.length; channel += 1) speaker[channel].set(output);
    this.#report(this.#playout.reached());
    return true;
  }

  #nextSpeakerSample() {
    while (this.#toSpeaker.hungry) {
      const sample = this.#playout.next();
      this.#agentEnergy += sample * sample;
      this.#toSpeaker.feed(sample);
    }
    return this.#toSpeaker.take();
  }

  #hear(sample) {
    this.#toTelephone.feed(sample);
    while (!this.#toTelephone.hungry) {
      const heard = this.#toTelephone.take();
      this.#callerEnergy += heard * heard;
      this.#frame[this.#filled] = encode(heard);
      this.#filled += 1;
      if (this.#filled === FRAME_BYTES) this.#sendFrame();
    }
  }

  #sendFrame() {
    const frame = this.#frame;
    const caller = Math.sqrt(this.#callerEnergy / FRAME_BYTES);
    const agent = Math.sqrt(this.#agentEnergy / FRAME_BYTES);
    this.port.postMessage({ frame, caller, agent }, [frame.buffer]);
    this.#frame = new Uint8Array(FRAME_BYTES);
    this.#filled = 0;
    this.#callerEnergy = 0;
    this.#agentEnergy = 0;
  }
}

registerProcessor("telephone", Telephone);
