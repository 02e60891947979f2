// @ts-check
/** Which of the engine's builds this browser runs. */

import { WavestepError } from "../speech/errors.js";

// Modules of one function, whose body has an instruction of the extension in it.
const HEADER = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0];
const SPLAT = [0x41, 0, 0xfd, 0x0f]; // i32.const 0, i8x16.splat
const SWIZZLE = [0xfd, 0x80, 0x02]; // i8x16.relaxed_swizzle

/** @param {number[]} code */
function module(code) {
  const body = [0, ...code, 0x0b];
  return new Uint8Array([...HEADER, 10, body.length + 2, 1, body.length, ...body]);
}

/** A build's name to what it needs, the fastest first. */
const BUILDS = {
  relaxed: { title: "relaxed SIMD", probe: module([...SPLAT, ...SPLAT, ...SWIZZLE]) },
  simd: { title: "SIMD", probe: module(SPLAT) },
};

/** @typedef {keyof typeof BUILDS} Build */

/**
 * The fastest build that runs here.
 * @returns {Build}
 * @throws {WavestepError} where none does
 */
export function fastestBuild() {
  const names = /** @type {Build[]} */ (Object.keys(BUILDS));
  const found =
    typeof WebAssembly === "object" &&
    names.find((name) => WebAssembly.validate(BUILDS[name].probe));
  if (!found) {
    throw new WavestepError(
      "this browser has no WebAssembly SIMD, which the engine needs; this page runs in Chrome and " +
        "Edge from 91 on, Firefox from 114, Safari from 16.4",
    );
  }
  return found;
}

/** @param {Build} build */
export function titleOf(build) {
  return BUILDS[build].title;
}
