// @ts-check
/** A WebAssembly module of one function, from the few instructions that ours is made of. */

/** Bytes of an instruction, and whether a number follows: a local's, a label's, an offset, … */
/** @type {Record<string, {bytes: number[], takes: boolean}>} */
const INSTRUCTIONS = {
  loop: { bytes: [0x03, 0x40], takes: false },
  end: { bytes: [0x0b], takes: false },
  br_if: { bytes: [0x0d], takes: true },
  "local.get": { bytes: [0x20], takes: true },
  "local.set": { bytes: [0x21], takes: true },
  "i32.const": { bytes: [0x41], takes: true },
  "i32.gt_s": { bytes: [0x4a], takes: false },
  "i32.add": { bytes: [0x6a], takes: false },
  "i32.sub": { bytes: [0x6b], takes: false },
  "v128.load": { bytes: [0xfd, 0x00, 2], takes: true },
  "v128.load32_splat": { bytes: [0xfd, 0x09, 2], takes: true },
  "v128.store": { bytes: [0xfd, 0x0b, 2], takes: true },
  "v128.zero": { bytes: [0xfd, 0x0c, ...new Array(16).fill(0)], takes: false },
  "f32x4.add": { bytes: [0xfd, 0xe4, 1], takes: false },
  "f32x4.mul": { bytes: [0xfd, 0xe6, 1], takes: false },
};
const I32 = 0x7f;
const V128 = 0x7b;
const HEADER = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/**
 * The bytes of a module that takes the memory `module.memory` and gives the function `run`.
 * @param {string} code instructions as in WebAssembly's text format, in stack order, a local by its
 *   name; numbers are 0 to 63
 * @param {{parameters: string[], numbers: string[], vectors: string[]}} locals all i32 but for the
 *   vectors, which are v128
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function assembled(code, { parameters, numbers, vectors }) {
  const names = [...parameters, ...numbers, ...vectors];
  /** @type {number[]} */
  const bytes = [];
  const tokens = code.trim().split(/\s+/);
  while (tokens.length) {
    const instruction = INSTRUCTIONS[/** @type {string} */ (tokens.shift())];
    bytes.push(...instruction.bytes);
    if (!instruction.takes) continue;
    const given = /** @type {string} */ (tokens.shift());
    bytes.push(names.includes(given) ? names.indexOf(given) : Number(given));
  }
  const body = [2, numbers.length, I32, vectors.length, V128, ...bytes, 0x0b];
  return new Uint8Array([
    ...HEADER,
    ...section(1, [1, 0x60, ...vector(parameters.map(() => I32)), 0]),
    ...section(2, [1, ...text("module"), ...text("memory"), 0x02, 0x00, 0]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...text("run"), 0x00, 0]),
    ...section(10, [1, ...vector(body)]),
  ]);
}

/**
 * @param {number} kind
 * @param {number[]} content
 */
function section(kind, content) {
  return [kind, ...vector(content)];
}

/** @param {number[]} content */
function vector(content) {
  return [...length(content.length), ...content];
}

/** @param {string} name */
function text(name) {
  return vector([...new TextEncoder().encode(name)]);
}

/**
 * A number in LEB128.
 * @param {number} value
 */
function length(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return [...bytes, value];
}
