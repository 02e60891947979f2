// @ts-check
/** Reads the format safetensors: named arrays of numbers, no code. */

import { WavestepError, quoted } from "./errors.js";

/**
 * @typedef {{shape: number[], data: Float32Array | Int8Array}} Tensor
 */

/** @type {Record<string, (bytes: ArrayBuffer) => Float32Array | Int8Array>} */
const TYPES = {
  F32: (bytes) => new Float32Array(bytes),
  I8: (bytes) => new Int8Array(bytes),
};
const PREFIX = 8; // bytes: how long the header is

/**
 * The arrays of a file by name; those of types that a front end has none of are left out.
 * @param {Uint8Array} bytes
 * @param {string} where names the file in messages
 * @returns {Map<string, Tensor>}
 * @throws {WavestepError} for a file cut short, or one of another format
 */
export function read(bytes, where) {
  const header = headerOf(bytes);
  if (!header) throw new WavestepError(`${where} is cut short or damaged; export the site again`);
  const content = bytes.subarray(header.end);
  /** @type {Map<string, Tensor>} */
  const found = new Map();
  for (const [
    name,
    {
      dtype,
      shape,
      data_offsets: [start, end],
    },
  ] of header.tensors) {
    if (!(dtype in TYPES)) continue;
    const part = content.slice(start, end); // a copy: its numbers begin where they must
    const numbers = shape.reduce((product, size) => product * size, 1);
    const size = dtype === "F32" ? 4 : 1;
    if (part.length !== end - start || part.length !== numbers * size) {
      throw new WavestepError(
        `${where} is cut short at ${quoted(name, 60)}; export the site again`,
      );
    }
    found.set(name, { shape, data: TYPES[dtype](part.buffer) });
  }
  return found;
}

/**
 * @typedef {{dtype: string, shape: number[], data_offsets: [number, number]}} Entry
 * @param {Uint8Array} bytes
 * @returns {{end: number, tensors: [string, Entry][]} | undefined}
 */
function headerOf(bytes) {
  if (bytes.length < PREFIX) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, PREFIX);
  const end = PREFIX + view.getUint32(0, true);
  if (view.getUint32(4, true) || end > bytes.length) return undefined;
  /** @type {unknown} */
  let header;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(PREFIX, end)));
  } catch {
    return undefined;
  }
  if (typeof header !== "object" || header === null) return undefined;
  const entries = Object.entries(header).filter(([name]) => name !== "__metadata__");
  return entries.every(([, entry]) => isEntry(entry)) ? { end, tensors: entries } : undefined;
}

/** @param {any} entry */
function isEntry(entry) {
  const whole = (/** @type {unknown} */ list) =>
    Array.isArray(list) && list.every((value) => Number.isSafeInteger(value) && value >= 0);
  return (
    typeof entry?.dtype === "string" &&
    whole(entry.shape) &&
    whole(entry.data_offsets) &&
    entry.data_offsets.length === 2
  );
}
