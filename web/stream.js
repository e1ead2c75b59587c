// Twilio Media Streams, the carrier's side of it. For the server this page is just another carrier.
// https://www.twilio.com/docs/voice/media-streams/websocket-messages

/** A frame: 20 ms of mu-law at 8 kHz. */
export const FRAME_BYTES = 160;
export const FRAME_MS = 20;

const NO_ACCOUNT = `AC${"0".repeat(32)}`; // a browser has no account with a carrier

function toBase64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}

function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Writes the carrier's messages and reads the server's. It holds no socket, only its counters. */
export class Stream {
  #send;
  #streamSid;
  #callSid;
  #sequence = 0;
  #frames = 0;

  /** `send` takes the text of one message. */
  constructor(send, { callSid, streamSid }) {
    this.#send = send;
    this.#callSid = callSid;
    this.#streamSid = streamSid;
  }

  start(customParameters) {
    this.#send(JSON.stringify({ event: "connected", protocol: "Call", version: "1.0.0" }));
    this.#write("start", {
      start: {
        accountSid: NO_ACCOUNT,
        streamSid: this.#streamSid,
        callSid: this.#callSid,
        tracks: ["inbound"],
        mediaFormat: { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 },
        customParameters,
      },
    });
  }

  /** One frame of the caller's audio. */
  media(frame) {
    const timestamp = String(this.#frames * FRAME_MS);
    this.#frames += 1;
    const chunk = String(this.#frames);
    this.#write("media", {
      media: { track: "inbound", chunk, timestamp, payload: toBase64(frame) },
    });
  }

  dtmf(digit) {
    this.#write("dtmf", { dtmf: { track: "inbound_track", digit } });
  }

  /** Echoes a mark: played up to it, or, after a clear, thrown away up to it. */
  mark(name) {
    this.#write("mark", { mark: { name } });
  }

  stop() {
    this.#write("stop", { stop: { accountSid: NO_ACCOUNT, callSid: this.#callSid } });
  }

  /** A message of the server: `{audio}`, `{mark}` or `{clear}`; null if it is none of ours. */
  read(text) {
    const message = JSON.parse(text);
    if (message.streamSid !== this.#streamSid) return null;
    if (message.event === "media") return { audio: fromBase64(message.media.payload) };
    if (message.event === "mark") return { mark: message.mark.name };
    if (message.event === "clear") return { clear: true };
    return null;
  }

  #write(event, body) {
    this.#sequence += 1;
    const head = { event, sequenceNumber: String(this.#sequence), streamSid: this.#streamSid };
    this.#send(JSON.stringify({ ...head, ...body }));
  }
}
