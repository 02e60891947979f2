// @ts-check
/** Audio as the bytes of a WAV file: 16-bit PCM, one channel. */

const HEAD = 44;
const FULL = 32767;

/**
 * @param {Float32Array} audio from -1 to 1; beyond: clipped
 * @param {number} rate Hz
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function wav(audio, rate) {
  const bytes = new Uint8Array(HEAD + 2 * audio.length);
  const view = new DataView(bytes.buffer);
  const text = (/** @type {number} */ at, /** @type {string} */ letters) =>
    [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, HEAD - 8 + 2 * audio.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); // bytes of what follows
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true); // bytes a second
  view.setUint16(32, 2, true); // bytes a sample of all channels
  view.setUint16(34, 16, true); // bits
  text(36, "data");
  view.setUint32(40, 2 * audio.length, true);
  audio.forEach((value, i) => view.setInt16(HEAD + 2 * i, pcm(value), true));
  return bytes;
}

/** The nearest integer, ties to even. @param {number} value */
function pcm(value) {
  const scaled = Math.fround(Math.min(1, Math.max(-1, value)) * FULL);
  const low = Math.floor(scaled);
  const above = scaled - low;
  return above < 0.5 || (above === 0.5 && low % 2 === 0) ? low : low + 1;
}
