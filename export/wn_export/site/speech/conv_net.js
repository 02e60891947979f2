// @ts-check
/**
 * A small convolutional network over rows (frames, or phones): what every part of a voice is.
 *
 *     h = relu(x @ W + b),   then for each layer h += relu(conv(h)),   y = h @ V + c
 *
 * Convolutions are centred, `width` rows wide, with zeros beyond both ends.
 */

/**
 * @typedef {import("./products.js").Affine} Affine
 * @typedef {import("./products.js").Products} Products
 */

/** @param {number} value */
const relu = (value) => (value < 0 ? 0 : value); // NaN stays, to be told of

export class ConvNet {
  /**
   * @param {Products} products
   * @param {Affine} input
   * @param {Affine[]} layers each over `width` rows of channels, the row before first
   * @param {Affine} output
   * @param {number} width odd
   */
  constructor(products, input, layers, output, width) {
    this.products = products;
    this.input = input;
    this.layers = layers;
    this.output = output;
    this.width = width;
  }

  /**
   * Rows (n, inputs) to (n, outputs).
   * @param {Float32Array} rows
   * @param {number} n
   */
  apply(rows, n) {
    const channels = this.input.matrix.outputs;
    const side = (this.width - 1) / 2;
    const padded = new Float32Array((n + 2 * side) * channels);
    const h = padded.subarray(side * channels, (side + n) * channels);
    const change = new Float32Array(n * channels);
    this.products.affine(rows, this.input.matrix.inputs, n, this.input, h);
    for (let i = 0; i < h.length; i++) h[i] = relu(h[i]);
    for (const layer of this.layers) {
      // A window of `width` rows lies in one piece, and begins a row after the one before.
      this.products.affine(padded, channels, n, layer, change);
      for (let i = 0; i < h.length; i++) h[i] += relu(change[i]);
    }
    const y = new Float32Array(n * this.output.matrix.outputs);
    this.products.affine(h, channels, n, this.output, y);
    return y;
  }
}
