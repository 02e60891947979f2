// @ts-check
/**
 * Randomness as an input: integers of 24 bits, a function of seed, stream and position only, and
 * those of wn_runtime/synthesis/uniforms.py. (Philox4x64-10: Salmon et al., "Parallel random
 * numbers", 2011.) Numbers of 64 bits are two of 32, as JavaScript multiplies no more at a time.
 */

import { WavestepError } from "./speech/errors.js";

const PER_COUNTER = 4; // words of 64 bits for each value of the counter
const UNIFORM_BITS = 24;
const ROUNDS = 10;
const WORD = 2 ** 32;
// High and low half of the multipliers of words 0 and 2, and of what keys grow by.
const [M0_HIGH, M0_LOW, M1_HIGH, M1_LOW] = [0xd2e7470e, 0xe14c6c93, 0xca5a8263, 0x95121157];
const [W0_HIGH, W0_LOW, W1_HIGH, W1_LOW] = [0x9e3779b9, 0x7f4a7c15, 0xbb67ae85, 0x84caa73b];

/** The uniforms of one stream: its i-th is a function of (seed, stream, i) only. */
export class UniformStream {
  #seed;
  #stream;
  #block = -1; // whose words are at hand
  #words = new Int32Array(PER_COUNTER);
  #productOfA = new Uint32Array(4);
  #productOfC = new Uint32Array(4);

  /**
   * @param {number | bigint} seed -2^63 to 2^64 - 1
   * @param {number} [stream] 0 to 2^53 - 1
   * @param {number} [position] uniforms drawn before, 0 to 2^53 - 1
   * @throws {WavestepError} for another seed
   */
  constructor(seed, stream = 0, position = 0) {
    this.#seed = halves(seed);
    this.#stream = halves(stream);
    this.position = position;
  }

  /**
   * The next ones.
   * @param {number} count
   * @returns {Int32Array} in [0, 2^24)
   */
  draw(count) {
    const drawn = new Int32Array(count);
    for (let i = 0; i < count; i++, this.position++) {
      const block = Math.floor(this.position / PER_COUNTER);
      if (block !== this.#block) this.#fill(block);
      drawn[i] = this.#words[this.position % PER_COUNTER];
    }
    return drawn;
  }

  /**
   * The uniforms of a value of the counter, the first bits of its words.
   * @param {number} block the counter less one
   */
  #fill(block) {
    let [k0High, k0Low] = this.#seed;
    let [k1High, k1Low] = this.#stream;
    let [aHigh, aLow] = halves(block + 1);
    let [bHigh, bLow, cHigh, cLow, dHigh, dLow] = [0, 0, 0, 0, 0, 0];
    const [a, c] = [this.#productOfA, this.#productOfC];
    for (let round = 0; round < ROUNDS; round++) {
      times(aHigh, aLow, M0_HIGH, M0_LOW, a);
      times(cHigh, cLow, M1_HIGH, M1_LOW, c);
      aHigh = c[0] ^ bHigh ^ k0High;
      aLow = c[1] ^ bLow ^ k0Low;
      bHigh = c[2];
      bLow = c[3];
      cHigh = a[0] ^ dHigh ^ k1High;
      cLow = a[1] ^ dLow ^ k1Low;
      dHigh = a[2];
      dLow = a[3];
      k0High += W0_HIGH + carry(k0Low, W0_LOW);
      k0Low = (k0Low + W0_LOW) >>> 0;
      k1High += W1_HIGH + carry(k1Low, W1_LOW);
      k1Low = (k1Low + W1_LOW) >>> 0;
    }
    const shift = 32 - UNIFORM_BITS;
    this.#words.set([aHigh >>> shift, bHigh >>> shift, cHigh >>> shift, dHigh >>> shift]);
    this.#block = block;
  }
}

/**
 * High and low half of the lowest 64 bits of an integer.
 * @param {number | bigint} value
 * @returns {[number, number]}
 * @throws {WavestepError}
 */
function halves(value) {
  if (typeof value === "bigint" && value >= -(2n ** 63n) && value < 2n ** 64n) {
    const bits = BigInt.asUintN(64, value);
    return [Number(bits >> 32n), Number(bits & 0xffffffffn)];
  }
  if (typeof value === "number" && Number.isSafeInteger(value)) {
    return [Math.floor(value / WORD) >>> 0, value >>> 0];
  }
  throw new WavestepError(
    `${value} is no integer of 64 bits; give one, beyond ${Number.MAX_SAFE_INTEGER} as a bigint`,
  );
}

/**
 * What a sum of 32 bits carries over.
 * @param {number} a
 * @param {number} b
 */
function carry(a, b) {
  return (a >>> 0) + b >= WORD ? 1 : 0;
}

/**
 * A product of 64 by 64 bits to its four words of 32 from the highest.
 * @param {number} aHigh
 * @param {number} aLow
 * @param {number} bHigh
 * @param {number} bLow
 * @param {Uint32Array} product
 */
function times(aHigh, aLow, bHigh, bLow, product) {
  const second = high(aLow, bLow) + low(aHigh, bLow) + low(aLow, bHigh);
  const more = second >= WORD ? (second >= 2 * WORD ? 2 : 1) : 0;
  const third = high(aHigh, bLow) + high(aLow, bHigh) + low(aHigh, bHigh) + more;
  product[0] = high(aHigh, bHigh) + (third >= WORD ? (third >= 2 * WORD ? 2 : 1) : 0);
  product[1] = third;
  product[2] = second;
  product[3] = low(aLow, bLow);
}

/**
 * The lower 32 bits of a product of 32 by 32.
 * @param {number} a
 * @param {number} b
 */
function low(a, b) {
  return Math.imul(a, b) >>> 0;
}

/**
 * The upper 32 bits of it.
 * @param {number} a
 * @param {number} b
 */
function high(a, b) {
  const a1 = a >>> 16;
  const a0 = a & 0xffff;
  const b1 = b >>> 16;
  const b0 = b & 0xffff;
  const middle = a1 * b0 + ((a0 * b0) >>> 16); // under 2^32
  const lower = a0 * b1 + (middle & 0xffff); // too
  return (a1 * b1 + (middle >>> 16) + (lower >>> 16)) >>> 0;
}
