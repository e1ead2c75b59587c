// Sample rate conversion between the sound card and the telephone: a polyphase filter with a
// Kaiser-windowed sinc. It passes the telephone band (to 3.4 kHz when one side is 8 kHz) and keeps
// 70 dB of everything that would fold back or be mirrored away.

const STOPBAND_DB = 70;
const KAISER_BETA = 0.1102 * (STOPBAND_DB - 8.7);

function greatestCommonDivisor(a, b) {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** The modified Bessel function of order zero, by its power series. */
function bessel0(x) {
  let sum = 1;
  for (let term = 1, k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/** The low-pass at `offset` input samples from its centre; it is zero from `half` on. */
function lowPass(offset, half, cutoff) {
  const place = offset / half;
  if (Math.abs(place) >= 1) return 0;
  const window = bessel0(KAISER_BETA * Math.sqrt(1 - place * place)) / bessel0(KAISER_BETA);
  const angle = 2 * Math.PI * cutoff * offset;
  return window * (angle === 0 ? 1 : Math.sin(angle) / angle);
}

/** One filter per phase between two input samples, each with a gain of exactly one at 0 Hz. */
function designPhases(phases, taps, cutoff) {
  return Array.from({ length: phases }, (_, phase) => {
    const filter = Float32Array.from({ length: taps }, (_, tap) =>
      lowPass(tap + phase / phases - taps / 2, taps / 2, cutoff),
    );
    const gain = filter.reduce((sum, value) => sum + value, 0);
    return filter.map((value) => value / gain);
  });
}

/**
 * Converts a stream sample by sample: while it is `hungry` it wants `feed(sample)`, otherwise
 * `take()` gives the next output sample. Delay: about 2.2 ms when one side is 8 kHz.
 */
export class Resampler {
  #up;
  #down;
  #filters;
  #taps;
  #history; // the newest sample first, written twice so that a filter reads without wrapping
  #newest = 0;
  #phase;

  /** `from` and `to` are whole numbers of Hz. */
  constructor(from, to) {
    const divisor = greatestCommonDivisor(from, to);
    this.#up = to / divisor;
    this.#down = from / divisor;
    const narrow = Math.min(from, to);
    const transition = narrow / 8;
    const cutoff = narrow / 2 - narrow / 80; // the pass band ends at 3.4 of 8 kHz
    this.#taps = Math.ceil(((STOPBAND_DB - 7.95) / (14.36 * transition)) * from);
    this.#filters = designPhases(this.#up, this.#taps, cutoff / from);
    this.#history = new Float32Array(2 * this.#taps);
    this.#phase = this.#up;
  }

  get hungry() {
    return this.#phase >= this.#up;
  }

  feed(sample) {
    this.#newest = (this.#newest || this.#taps) - 1;
    this.#history[this.#newest] = sample;
    this.#history[this.#newest + this.#taps] = sample;
    this.#phase -= this.#up;
  }

  take() {
    const filter = this.#filters[this.#phase];
    let sum = 0;
    for (let tap = 0; tap < this.#taps; tap += 1) {
      sum += filter[tap] * this.#history[this.#newest + tap];
    }
    this.#phase += this.#down;
    return sum;
  }
}
