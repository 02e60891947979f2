/* A module of wavenet.c on the arrays of a folder.
 *
 *     wavenet.mjs FOLDER tiles             prints how weights lie: a tile's width, group, apart
 *     wavenet.mjs FOLDER run STEPS ROWS    scores samples to params, and draws to drawn
 */
import { readFileSync, writeFileSync } from "node:fs";

const [folder, what, ...numbers] = process.argv.slice(2);
const code = new WebAssembly.Module(readFileSync(`${folder}/wavenet.wasm`));
const { exports: c } = new WebAssembly.Instance(code);
if (what === "tiles") {
  console.log(c.wn_tile(), c.wn_group(), c.wn_apart());
} else {
  const [steps, rows] = numbers.map(Number);
  let free = c.__heap_base.value;
  const room = (bytes) => {
    const at = Math.ceil(free / 64) * 64;
    free = at + bytes;
    const missing = free - c.memory.buffer.byteLength;
    if (missing > 0) c.memory.grow(Math.ceil(missing / 65536));
    return at;
  };
  const names = [
    "model",
    "window",
    "lines",
    "bias",
    "inverse",
    "uniforms",
    "samples",
    "params",
    "drawn",
  ];
  const at = {};
  const bytes = {};
  for (const name of names) {
    const file = readFileSync(`${folder}/${name}`);
    at[name] = room(file.length);
    bytes[name] = file.length;
    new Uint8Array(c.memory.buffer).set(file, at[name]);
  }
  if (bytes.model !== Number(c.wn_model_bytes()))
    throw new Error(`the model has ${bytes.model} bytes`);
  const state = room(Number(c.wn_state_bytes()));
  const bias = bytes.bias ? at.bias : 0;
  c.wn_restore(state, at.window, at.lines);
  c.wn_score(at.model, state, 0, steps, bias, rows, 0, 1, at.samples, at.params);
  c.wn_restore(state, at.window, at.lines);
  c.wn_generate(at.model, state, 0, steps, bias, rows, 0, 1, at.uniforms, at.inverse, at.drawn);
  for (const name of ["params", "drawn"]) {
    writeFileSync(`${folder}/${name}`, new Uint8Array(c.memory.buffer, at[name], bytes[name]));
  }
}
