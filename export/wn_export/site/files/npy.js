// @ts-check
/** Frames from a .npy file, as numpy.save writes it. */

import { WavestepError } from "../speech/errors.js";

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const FORMS = "frames are float32, float64 or float16, (frames, channels)";

/** Type to the bytes of a number and how one is read. @type {Record<string, Reader>} */
const TYPES = {
  "<f4": { bytes: 4, at: (view, i) => view.getFloat32(i, true) },
  "<f8": { bytes: 8, at: (view, i) => view.getFloat64(i, true) },
  "<f2": { bytes: 2, at: (view, i) => half(view.getUint16(i, true)) },
};

/** @typedef {{bytes: number, at: (view: DataView, i: number) => number}} Reader */

/**
 * Frames (F, C), row by row.
 * @param {ArrayBuffer} file
 * @param {number} channels C
 * @returns {Float32Array}
 * @throws {WavestepError} for what is no array of such frames
 */
export function framesOf(file, channels) {
  const { type, shape, columnsFirst, offset } = header(file);
  const reader = TYPES[type];
  if (!reader || shape.length !== 2) {
    const fix = reader ? "" : "; save it as .astype('<f4')";
    throw new WavestepError(`the file is ${type} (${shape.join(", ")}); ${FORMS}${fix}`);
  }
  const [count, width] = shape;
  if (width !== channels) {
    throw new WavestepError(`the frames have ${width} channels; this model takes ${channels}`);
  }
  if (!count) throw new WavestepError("the file holds no frame");
  const found = file.byteLength - offset;
  const needed = count * width * reader.bytes;
  if (found !== needed) {
    throw new WavestepError(
      `the file has ${found} bytes of frames, its head says ${needed}: cut short, or damaged`,
    );
  }
  const view = new DataView(file, offset);
  const frames = new Float32Array(count * width);
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < width; column++) {
      const place = columnsFirst ? column * count + row : row * width + column;
      frames[row * width + column] = reader.at(view, place * reader.bytes);
    }
  }
  const bad = frames.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new WavestepError(`frame ${Math.floor(bad / width)} holds NaN or infinity`);
  }
  return frames;
}

/** @param {ArrayBuffer} file */
function header(file) {
  const bytes = new Uint8Array(file);
  if (bytes.length < 12 || !MAGIC.every((byte, i) => bytes[i] === byte)) {
    throw new WavestepError("the file is no array that NumPy saved; write it with numpy.save");
  }
  const view = new DataView(file);
  const long = bytes[6] > 1;
  const start = long ? 12 : 10;
  const offset = start + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  const text = new TextDecoder("latin1").decode(bytes.subarray(start, offset));
  const type = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape':\s*\(([\d\s,]*)\)/.exec(text)?.[1];
  if (offset > bytes.length || type === undefined || !order || shape === undefined) {
    throw new WavestepError("the head of the file cannot be read: cut short, or damaged");
  }
  const numbers = shape.split(",").filter((part) => part.trim());
  return { type, shape: numbers.map(Number), columnsFirst: order === "True", offset };
}

/** A float16. @param {number} bits */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  if (!exponent) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
