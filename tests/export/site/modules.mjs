/* What the page's modules make of questions, see test_modules.py. */
import { readFileSync } from "node:fs";
import vm from "node:vm";

const site = new URL(`${process.argv[2]}/`);
const { framesOf } = await import(new URL("files/npy.js", site));
const { wav } = await import(new URL("files/wav.js", site));
const { Recording } = await import(new URL("sound/recording.js", site));
const { Spectrum } = await import(new URL("view/fft.js", site));
const { fastestBuild } = await import(new URL("engine/builds.js", site));

const bytesOf = (text) => Uint8Array.from(Buffer.from(text, "base64"));
const floatsOf = (text) => new Float32Array(bytesOf(text).buffer);
const text = (array) =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");

/** The value, or the message of what was thrown. */
function tried(make) {
  try {
    return { made: make() };
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}

/** sound/worklet.js where there is no browser: how it plays what comes between its calls. */
function played({ rate, sampleRate, lead, events }) {
  const reports = [];
  let registered;
  const world = {
    sampleRate,
    currentTime: 0,
    Float32Array,
    AudioWorkletProcessor: class {
      port = { postMessage: (report) => reports.push(report) };
    },
    registerProcessor: (_name, processor) => (registered = processor),
  };
  vm.runInNewContext(readFileSync(new URL("sound/worklet.js", site), "utf8"), world);
  const processor = new registered({ processorOptions: { rate, lead } });
  const told = [];
  const worker = { postMessage: (count) => told.push(count) };
  processor.port.onmessage({ data: { from: worker } });
  const out = [];
  let alive = true;
  for (const event of events) {
    if (event.block) worker.onmessage({ data: Float32Array.from(event.block) });
    if (event.end) worker.onmessage({ data: { end: true } });
    if (event.stop) processor.port.onmessage({ data: {} });
    for (let i = 0; i < (event.calls ?? 0) && alive; i++) {
      const channels = [new Float32Array(8), new Float32Array(8)];
      alive = processor.process([], [channels]);
      out.push(...channels[1]);
      world.currentTime += 8 / sampleRate;
    }
  }
  return { out, reports, told, alive };
}

/** view/form.js where there is no page: the frames it keeps of files read in this order. */
async function chosenFiles({ files, readInOrder, channels }) {
  const elements = {};
  const element = () => ({ value: "1", addEventListener() {}, replaceChildren() {} });
  globalThis.document = { getElementById: (id) => (elements[id] ??= element()) };
  const { Form } = await import(new URL("view/form.js", site));
  const form = new Form();
  form.show({ channels, hop: 1, rate: 1, conditions: [], chosen: {}, temperature: 1 });
  const read = [];
  const takes = files.map((file, i) => {
    const data = new Promise((done) => (read[i] = () => done(bytesOf(file).buffer)));
    return form.take({ arrayBuffer: () => data });
  });
  const ended = Promise.allSettled(takes);
  for (const i of readInOrder) {
    read[i]();
    await new Promise(setImmediate);
  }
  const failed = (await ended).map((take) => take.status === "rejected");
  return { failed, frames: text(form.wish().frames) };
}

const questions = {
  chosenFiles,
  npy: ({ file, channels }) => tried(() => text(framesOf(bytesOf(file).buffer, channels))),
  wav: ({ audio, rate }) => text(wav(floatsOf(audio), rate)),
  played,
  recorded({ rate, blocks, slices }) {
    const recording = new Recording(rate);
    for (const length of blocks) {
      recording.append(Float32Array.from({ length }, (_, i) => recording.end + i));
    }
    const found = slices.map(([begin, end]) => [...recording.slice(begin, end)]);
    return { found, start: recording.start, all: recording.all().length };
  },
  decibels({ samples, size }) {
    const to = new Float32Array(size / 2);
    new Spectrum(size).decibels(floatsOf(samples), to);
    return text(to);
  },
  build({ runs }) {
    const validate = WebAssembly.validate;
    WebAssembly.validate = (code) => runs.includes(code.at(-2) === 2 ? "relaxed" : "simd");
    const found = tried(fastestBuild);
    WebAssembly.validate = validate;
    return { ...found, here: tried(fastestBuild) };
  },
};

const asked = JSON.parse(readFileSync(0, "utf8"));
const answers = asked.map(({ ask, ...question }) => questions[ask](question));
console.log(JSON.stringify(await Promise.all(answers)));
