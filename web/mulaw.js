// G.711 mu-law: 8 bits a sample, as telephone carriers send it.

const BIAS = 0x84;
const CLIP = 32635;

/** The byte of digital silence. (0x00 would be a loud click: full scale, negative.) */
export const SILENCE = 0xff;

/** One mu-law byte to 16-bit linear. */
export function decode16(byte) {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + BIAS) << ((code & 0x70) >> 4)) - BIAS;
  return code & 0x80 ? -magnitude : magnitude;
}

const DECODED = Float32Array.from({ length: 256 }, (_, byte) => decode16(byte) / 32768);

/** One mu-law byte to a sample of -1 to 1. */
export function decode(byte) {
  return DECODED[byte];
}

/** A sample of -1 to 1 to one mu-law byte; louder samples are clipped. */
export function encode(sample) {
  const linear = Math.round(sample * 32768);
  const magnitude = Math.min(Math.abs(linear), CLIP) + BIAS;
  const exponent = 24 - Math.clz32(magnitude);
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  const sign = linear < 0 ? 0x80 : 0;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}
