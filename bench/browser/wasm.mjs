/* Makes so many samples of a clip as a line on stdin says, and prints the CPU seconds they took; at the
 * end the last ones are left in the folder. See wasm.py. */
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

const { Engine } = await import(`${process.argv[2]}/engine/engine.js`);
const { folder, chosen, seed, frames } = JSON.parse(process.argv[3]);
const code = new WebAssembly.Module(readFileSync(`${folder}/engine.wasm`));
const engine = new Engine(code, new Uint8Array(readFileSync(`${folder}/model.wn`)));
const voice = engine.voice();
const file = frames ? readFileSync(`${folder}/frames`) : new Uint8Array();
const all = new Float32Array(new Uint8Array(file).buffer);
let audio = new Float32Array();

for await (const line of createInterface({ input: process.stdin })) {
  const samples = Number(line);
  audio = new Float32Array(samples);
  voice.begin(BigInt(seed), 1, new Map(Object.entries(chosen)), frames ? all : undefined);
  const began = process.cpuUsage();
  for (let made = 0; made < samples;) {
    const block = voice.read(Math.min(400, samples - made));
    audio.set(block, made);
    made += block.length;
  }
  const { user, system } = process.cpuUsage(began);
  console.log((user + system) / 1e6);
}
writeFileSync(`${folder}/audio`, audio);
