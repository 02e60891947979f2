// @ts-check
/** Products of rows with matrices that stay in the memory of WebAssembly. */

import { WavestepError } from "./errors.js";
import { COLUMNS, MODULE, ROWS } from "./product_code.js";

/**
 * A matrix of weights, (inputs, outputs), in panels of eight columns; and with it what is added to
 * each output.
 * @typedef {{inputs: number, outputs: number, address: number}} Matrix
 * @typedef {{matrix: Matrix, bias: Float32Array}} Affine
 */

const BLOCK = 256; // rows that are multiplied at a time
const PAGE = 65536; // bytes
const FLOAT = 4;
const MOST_BYTES = 2 ** 30;

/** @param {number} value @param {number} step */
const upTo = (value, step) => Math.ceil(value / step) * step;

/**
 * The numbers that matrices of these shapes take.
 * @param {number} inputs
 * @param {number} outputs
 */
function packed(inputs, outputs) {
  return inputs * upTo(outputs, COLUMNS);
}

export class Products {
  #floats;
  #used = 0;
  #x;
  #y;
  #multiply;

  /**
   * @param {readonly (readonly [number, number])[]} shapes inputs and outputs of all its matrices
   * @param {number} stride the most numbers from row to row
   * @throws {WavestepError} where there is no SIMD, or not so much memory
   */
  constructor(shapes, stride) {
    const weights = shapes.reduce((sum, [inputs, outputs]) => sum + packed(inputs, outputs), 0);
    const inputs = Math.max(...shapes.map((shape) => shape[0]));
    const outputs = Math.max(...shapes.map((shape) => upTo(shape[1], COLUMNS)));
    this.#x = weights * FLOAT;
    this.#y = this.#x + upTo(BLOCK * stride + inputs, ROWS) * FLOAT;
    const bytes = this.#y + BLOCK * outputs * FLOAT;
    const memory = memoryOf(bytes);
    this.#floats = new Float32Array(memory.buffer);
    this.#multiply = instance(memory);
  }

  /**
   * Take over a matrix.
   * @param {Float32Array} weights row by row, (inputs, outputs)
   * @param {number} inputs
   * @param {number} outputs
   * @returns {Matrix}
   */
  matrix(weights, inputs, outputs) {
    const address = this.#used * FLOAT;
    for (let first = 0; first < outputs; first += COLUMNS) {
      const some = Math.min(COLUMNS, outputs - first);
      for (let i = 0; i < inputs; i++, this.#used += COLUMNS) {
        for (let column = 0; column < some; column++) {
          this.#floats[this.#used + column] = weights[i * outputs + first + column];
        }
      }
    }
    return { inputs, outputs, address };
  }

  /**
   * Rows times a matrix and plus its bias, into y (rows, outputs).
   * @param {Float32Array} x row r begins at r * stride; rows may overlap
   * @param {number} stride
   * @param {number} rows
   * @param {Affine} affine
   * @param {Float32Array} y
   */
  affine(x, stride, rows, { matrix: { inputs, outputs, address }, bias }, y) {
    const pitch = upTo(outputs, COLUMNS);
    for (let first = 0; first < rows; first += BLOCK) {
      const some = Math.min(BLOCK, rows - first);
      const from = first * stride;
      this.#floats.set(x.subarray(from, from + (some - 1) * stride + inputs), this.#x / FLOAT);
      for (let column = 0; column < outputs; column += COLUMNS) {
        // The rows that fill up the last four are of whatever lies there, and are not read.
        const place = [address + column * inputs * FLOAT, inputs, this.#y + column * FLOAT];
        this.#multiply(this.#x, stride * FLOAT, upTo(some, ROWS), ...place, pitch * FLOAT);
      }
      for (let row = 0; row < some; row++) {
        const to = (first + row) * outputs;
        const at = this.#y / FLOAT + row * pitch;
        for (let i = 0; i < outputs; i++) y[to + i] = this.#floats[at + i] + bias[i];
      }
    }
  }
}

/**
 * @param {number} bytes
 * @throws {WavestepError}
 */
function memoryOf(bytes) {
  const pages = Math.ceil(bytes / PAGE);
  try {
    if (bytes <= MOST_BYTES) return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  const size = Math.ceil(bytes / 2 ** 20);
  throw new WavestepError(
    `this voice's front end takes ${size} MB, more than is here; take one of fewer channels`,
  );
}

/**
 * @param {WebAssembly.Memory} memory
 * @returns {(...numbers: number[]) => void}
 * @throws {WavestepError}
 */
function instance(memory) {
  if (!WebAssembly.validate(MODULE)) {
    throw new WavestepError(
      "this browser has no WebAssembly SIMD; take one of 2021 or newer (Safari: 16.4)",
    );
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(MODULE), {
    module: { memory },
  });
  return /** @type {(...numbers: number[]) => void} */ (exports.run);
}
