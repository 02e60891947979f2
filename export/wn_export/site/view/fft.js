// @ts-check
/** Magnitudes of a short piece of sound, by the fast Fourier transform. */

export class Spectrum {
  #size;
  #window;
  #cosine;
  #sine;
  #order;
  #real;
  #imaginary;

  /** @param {number} size samples of a piece, a power of two */
  constructor(size) {
    const turn = (/** @type {number} */ i) => (2 * Math.PI * i) / size;
    this.#size = size;
    this.#window = Float32Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos(turn(i)));
    this.#cosine = Float32Array.from({ length: size / 2 }, (_, i) => Math.cos(turn(i)));
    this.#sine = Float32Array.from({ length: size / 2 }, (_, i) => -Math.sin(turn(i)));
    const bits = Math.log2(size);
    this.#order = Uint16Array.from({ length: size }, (_, i) => {
      let reversed = 0;
      for (let bit = 0; bit < bits; bit++) reversed |= ((i >> bit) & 1) << (bits - 1 - bit);
      return reversed;
    });
    this.#real = new Float32Array(size);
    this.#imaginary = new Float32Array(size);
  }

  /**
   * Decibels of each frequency from 0 to below half the sample rate; a full-scale sine has 0.
   * @param {Float32Array} samples `size` of them
   * @param {Float32Array} to half as many
   */
  decibels(samples, to) {
    const size = this.#size;
    const real = this.#real;
    const imaginary = this.#imaginary.fill(0);
    this.#order.forEach((from, i) => (real[i] = samples[from] * this.#window[from]));
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half);
      for (let begin = 0; begin < size; begin += 2 * half) {
        for (let i = 0; i < half; i++) {
          const [a, b] = [begin + i, begin + i + half];
          const [c, s] = [this.#cosine[i * stride], this.#sine[i * stride]];
          const turnedReal = real[b] * c - imaginary[b] * s;
          const turnedImaginary = real[b] * s + imaginary[b] * c;
          real[b] = real[a] - turnedReal;
          imaginary[b] = imaginary[a] - turnedImaginary;
          real[a] += turnedReal;
          imaginary[a] += turnedImaginary;
        }
      }
    }
    const full = (size / 4) ** 2; // of a sine under the window, squared
    for (let i = 0; i < size / 2; i++) {
      const power = real[i] * real[i] + imaginary[i] * imaginary[i];
      to[i] = 10 * Math.log10(power / full + 1e-12);
    }
  }
}
