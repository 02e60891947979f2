// Times of a front end in JavaScript: speech.py calls it with the address of the site's
// sources and a folder with the two files. On stdin {texts, speakers, turns}; on stdout JSON.
import { readFile } from "node:fs/promises";

const [site, folder] = process.argv.slice(2);
const { loadFrontEnd } = await import(`${site}/speech/load.js`);
let input = "";
for await (const piece of process.stdin.setEncoding("utf8")) input += piece;
const { texts, speakers, turns } = JSON.parse(input);
const json = await readFile(`${folder}/speech.json`, "utf8");
const tensors = await readFile(`${folder}/speech.safetensors`);

/** Milliseconds that have passed, and those of the processor, the compiler's threads included. */
function timed(work) {
  const [began, before] = [performance.now(), process.cpuUsage()];
  const result = work();
  const wall = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  return { wall, busy: (user + system) / 1000, result };
}

const { wall: load, busy, result: voice } = timed(() => loadFrontEnd(json, tensors));
const said = texts.map((text) => {
  const times = [];
  for (let turn = 0; turn < turns; turn++) {
    const speaker = speakers[turn % speakers.length];
    times.push(timed(() => voice.frames(text, { speaker })));
  }
  const { count, hop, sampleRate } = times[0].result;
  const walls = times.map(({ wall }) => wall).sort((one, other) => one - other);
  return {
    seconds: (count * hop) / sampleRate,
    first: times[0].wall,
    busy: times[0].busy,
    median: walls[turns >> 1],
    fastest: walls[0],
  };
});
process.stdout.write(JSON.stringify({ version: process.version, load, busy, said }));
