// Sound from generator.onnx with onnxruntime-node alone.
//
//     node generate.mjs DIR OUT.wav [SECONDS [SEED [TEMPERATURE [CONDITION=INDEX …]]]]
//
// The sound is that of `wn-run DIR --engine generator --seed SEED --temperature TEMPERATURE`.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const { InferenceSession, Tensor } = createRequire(import.meta.url)("onnxruntime-node");
const [directory, out, seconds = "1", seed = "0", temperature = "1", ...given] =
  process.argv.slice(2);
const ARRAYS = { int32: Int32Array, float32: Float32Array, float64: Float64Array };

function full(type, shape, value) {
  const size = shape.reduce((product, each) => product * each, 1);
  return new Tensor(type, new ARRAYS[type](size).fill(value), shape);
}

// The 64-bit words of NumPy's Philox4x64-10, of which a uniform is the upper 24 bits.
function* philox(key0, key1) {
  const mask = (1n << 64n) - 1n;
  for (let counter = 1n; ; counter++) {
    let [a, b, c, d, k0, k1] = [counter, 0n, 0n, 0n, key0, key1];
    for (let round = 0; round < 10; round++) {
      const x = a * 0xd2e7470ee14c6c93n;
      const y = c * 0xca5a826395121157n;
      [a, b, c, d] = [(y >> 64n) ^ b ^ k0, y & mask, (x >> 64n) ^ d ^ k1, x & mask];
      k0 = (k0 + 0x9e3779b97f4a7c15n) & mask;
      k1 = (k1 + 0xbb67ae8584caa73bn) & mask;
    }
    yield* [a, b, c, d];
  }
}

const manifest = JSON.parse(readFileSync(`${directory}/manifest.json`, "utf8"));
const { inputs } = manifest.artifacts.find((each) => each.file === "generator.onnx").built;
const rate = manifest.spec.sample_rate;
const [, streams, eachSample] = inputs.uniforms.shape;
const generator = await InferenceSession.create(`${directory}/generator.onnx`);
const feeds = {}; // zeros; sizes with a name are what a call has of it, and none is known beforehand
for (const [name, { type, shape }] of Object.entries(inputs))
  feeds[name] = full(type, shape.map((n) => (typeof n === "number" ? n : 0)), 0);
feeds["state.samples"].data.fill(manifest.state.samples.start);
feeds.temperature.data.fill(Number(temperature));
if (feeds.bias) { // conditions that do not change with time
  const indices = {};
  for (const [name, index] of given.map((each) => each.split("=")))
    indices[name] = full("int32", [streams], Number(index));
  const conditioner = await InferenceSession.create(`${directory}/conditioner.onnx`);
  feeds.bias = (await conditioner.run(indices)).bias;
}

const random = Array.from({ length: streams }, (_, i) => philox(BigInt(seed), BigInt(i)));
const samples = Math.round(seconds * rate);
const audio = [];
for (let start = 0; start < samples; start += 1024) {
  const count = Math.min(1024, samples - start);
  feeds.uniforms = full("int32", [count, streams, eachSample], 0);
  for (let i = 0; i < feeds.uniforms.size; i++) {
    const stream = Math.floor(i / eachSample) % streams;
    feeds.uniforms.data[i] = Number(random[stream].next().value >> 40n);
  }
  const made = await generator.run(feeds);
  for (const name of generator.outputNames)
    if (name.startsWith("next.")) feeds[`state.${name.slice(5)}`] = made[name];
  audio.push(...made.audio.data);
}

const wav = Buffer.alloc(44 + 2 * audio.length);
wav.write("RIFF", 0);
wav.writeUInt32LE(36 + 2 * audio.length, 4);
wav.write("WAVEfmt ", 8);
wav.writeUInt32LE(16, 16);
wav.writeUInt16LE(1, 20);
wav.writeUInt16LE(streams, 22);
wav.writeUInt32LE(rate, 24);
wav.writeUInt32LE(2 * streams * rate, 28);
wav.writeUInt16LE(2 * streams, 32);
wav.writeUInt16LE(16, 34);
wav.write("data", 36);
wav.writeUInt32LE(2 * audio.length, 40);
audio.forEach((x, i) => wav.writeInt16LE(Math.floor(x * 32767 + 0.5), 44 + 2 * i));
writeFileSync(out, wav);
