// @ts-check
/**
 * The inner loop of a matrix product, in WebAssembly with SIMD. Put together here, it needs no
 * compiler; JavaScript's own arithmetic takes several times as long.
 *
 *     run(x, stride, rows, w, inputs, y, pitch)
 *
 *     y[row][0..8) = sum over i of x[row][i] * w[i][0..8)
 *
 * x, w and y are addresses of float32, `stride` and `pitch` the bytes from row to row of x and y,
 * `rows` a multiple of four, and neither it nor `inputs` is zero. Four rows of eight columns are
 * summed up in registers at a time, each sum in the order of the inputs.
 */

import { assembled } from "./assembler.js";

export const ROWS = 4;
export const COLUMNS = 8;

const rows = [0, 1, 2, 3];
const halves = [0, 1];

/** Where four rows are from `base` on, and then the base of the next four. */
const addresses = (/** @type {string} */ base, /** @type {string} */ step) => `
  local.get ${base}  local.set at0
  local.get at0  local.get ${step}  i32.add  local.set at1
  local.get at1  local.get ${step}  i32.add  local.set at2
  local.get at2  local.get ${step}  i32.add  local.set at3
  local.get at3  local.get ${step}  i32.add  local.set ${base}`;

/** One input of a row, times eight weights, to the row's sums. */
const accumulated = (/** @type {number} */ row) => `
  local.get at${row}  v128.load32_splat 0  local.set value
  local.get at${row}  i32.const 4  i32.add  local.set at${row}
  local.get low${row}
  local.get value  local.get weight0  f32x4.mul  f32x4.add  local.set low${row}
  local.get high${row}
  local.get value  local.get weight1  f32x4.mul  f32x4.add  local.set high${row}`;

const CODE = `
loop
  ${addresses("x", "stride")}
  ${rows.map((row) => `v128.zero  local.set low${row}  v128.zero  local.set high${row}`).join("\n")}
  local.get w  local.set weights
  local.get inputs  local.set left
  loop
    ${halves.map((i) => `local.get weights  v128.load ${16 * i}  local.set weight${i}`).join("\n")}
    local.get weights  i32.const 32  i32.add  local.set weights
    ${rows.map(accumulated).join("")}
    local.get left  i32.const 1  i32.sub  local.set left
    local.get left  i32.const 0  i32.gt_s  br_if 0
  end
  ${addresses("y", "pitch")}
  ${rows
    .map(
      (row) => `
  local.get at${row}  local.get low${row}  v128.store 0
  local.get at${row}  local.get high${row}  v128.store 16`,
    )
    .join("")}
  local.get rows  i32.const 4  i32.sub  local.set rows
  local.get rows  i32.const 0  i32.gt_s  br_if 0
end`;

/** A module of this function; it takes the memory that the addresses are in. */
export const MODULE = assembled(CODE, {
  parameters: ["x", "stride", "rows", "w", "inputs", "y", "pitch"],
  numbers: ["weights", "left", "at0", "at1", "at2", "at3"],
  vectors: [
    ...["value", "weight0", "weight1"],
    ...rows.flatMap((row) => [`low${row}`, `high${row}`]),
  ],
});
