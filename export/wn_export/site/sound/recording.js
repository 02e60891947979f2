// @ts-check
/** What has been made of a sound: all of it, or of a very long one the end. */

const MOST = 600; // seconds

export class Recording {
  #blocks = /** @type {Float32Array[]} */ ([]);
  #most;
  /** Samples made, and how many of them are here no more. */
  end = 0;
  start = 0;

  /** @param {number} rate Hz */
  constructor(rate) {
    this.rate = rate;
    this.#most = MOST * rate;
  }

  /** @param {Float32Array} block */
  append(block) {
    this.#blocks.push(block);
    this.end += block.length;
    while (this.end - this.start > this.#most) {
      this.start += /** @type {Float32Array} */ (this.#blocks.shift()).length;
    }
  }

  /**
   * Samples from `begin` to before `end`; zero where there are none.
   * @param {number} begin
   * @param {number} end
   */
  slice(begin, end) {
    const found = new Float32Array(Math.max(0, end - begin));
    let at = this.end;
    for (let i = this.#blocks.length - 1; i >= 0 && at > begin; i--) {
      const block = this.#blocks[i];
      at -= block.length;
      const first = Math.max(begin - at, 0);
      const last = Math.min(end - at, block.length);
      if (first < last) found.set(block.subarray(first, last), at + first - begin);
    }
    return found;
  }

  /** All that is here. */
  all() {
    return this.slice(this.start, this.end);
  }
}
