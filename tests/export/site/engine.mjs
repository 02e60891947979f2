/* engine/engine.js with a compiled engine and a packed model, see test_engine.py. */
import { readFileSync } from "node:fs";

const site = new URL(`${process.argv[2]}/`);
const { Engine } = await import(new URL("engine/engine.js", site));

const bytesOf = (text) => new Uint8Array(Buffer.from(text, "base64"));
const text = (array) =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");

/** All that a voice makes, in calls of so many samples. */
function heard(voice, { seed, temperature, chosen, frames, samples, call }) {
  const all = frames && new Float32Array(bytesOf(frames).buffer);
  voice.begin(BigInt(seed), temperature, new Map(Object.entries(chosen)), all);
  const blocks = [];
  for (let made = 0; made < samples;) {
    const block = voice.read(Math.min(call, samples - made));
    if (!block.length) break;
    blocks.push(...block);
    made += block.length;
  }
  return text(Float32Array.from(blocks));
}

const { wasm, model, wishes = [], cut, refuse } = JSON.parse(readFileSync(0, "utf8"));
const code = new WebAssembly.Module(readFileSync(wasm));
const file = refuse ? new Uint8Array(refuse) : new Uint8Array(readFileSync(model));
const grow = WebAssembly.Memory.prototype.grow;
WebAssembly.Memory.prototype.grow = function (pages) {
  if (refuse) throw new RangeError("no more");
  return grow.call(this, pages);
};
try {
  const engine = new Engine(code, file.subarray(0, cut ?? file.length));
  const { name, rate, temperature, channels, hop, conditions } = engine;
  const voice = engine.voice();
  const answers = wishes.map((wish) => heard(voice, wish));
  console.log(JSON.stringify({ name, rate, temperature, channels, hop, conditions, answers }));
} catch (error) {
  console.log(JSON.stringify({ error: `${error.name}: ${error.message}` }));
}
