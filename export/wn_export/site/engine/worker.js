// @ts-check
/**
 * The Worker: opens the model, and makes its sound block by block, a little ahead of what is played.
 *
 *     page --{open}, {play}, {stop}--> Worker --blocks--> AudioWorklet
 *          <--{arrived}, {model}, {block}, {ended}, {error}--
 */

import { WavestepError } from "../speech/errors.js";
import { openSite } from "./site.js";

const AHEAD = 1; // seconds that are made before they are played, at most
const FIRST = 0.02; // seconds of the first block,
const BLOCK = 0.05; // and of the others

/** @typedef {import("./site.js").Opened} Opened */
/**
 * What is to be heard.
 * @typedef {{text?: string, frames?: Float32Array, rate: number, seed: bigint, temperature: number,
 *   chosen: Map<string, string[]>, to: MessagePort, number: number}} Wish
 */

/** @type {Opened | undefined} */
let opened;
/** What is being made, and how to leave off. @type {{stop: () => void} | undefined} */
let current;

onmessage = async ({ data }) => {
  current?.stop();
  current = undefined;
  try {
    if (data.open) await open(data.open);
    if (data.play) await make(data.play);
  } catch (error) {
    const told = error instanceof WavestepError;
    if (!told) console.error(error);
    const message = told ? error.message : `the engine failed: ${error}`;
    postMessage({ error: message, number: data.play?.number });
  }
};

/** @param {{build: import("./builds.js").Build, site: string}} what */
async function open({ build, site }) {
  opened = await openSite(new URL(site), build, (arrived) => postMessage({ arrived }));
  postMessage({ model: about(opened) });
}

/** What the page shows of the model. @param {Opened} opened */
function about({ engine, frontEnd, example, chosen, precision }) {
  const { name, rate, temperature, channels, hop, conditions } = engine;
  const words = frontEnd && [...frontEnd.dictionary.pronunciations.keys()];
  return {
    ...{ name, rate, temperature, channels, hop, conditions, chosen, precision },
    ...{ example: example?.length, words, speaker: frontEnd?.spec.speaker },
  };
}

/** The frames to be heard; none for a model that takes none. @param {Wish} wish */
function framesOf({ text, frames, chosen, rate }) {
  if (!opened?.frontEnd || text === undefined) return frames ?? opened?.example;
  const speaker = chosen.get(opened.frontEnd.spec.speaker)?.[0];
  return opened.frontEnd.frames(text, { speaker, rate }).frames;
}

/** @param {Wish} wish */
async function make(wish) {
  if (!opened) return;
  const { engine, voice } = opened;
  voice.begin(wish.seed, wish.temperature, wish.chosen, framesOf(wish));
  const pace = paced(wish.to, AHEAD * engine.rate);
  current = pace;
  let busy = 0; // milliseconds of work
  let made = 0;
  for (;;) {
    const began = performance.now();
    const block = voice.read(Math.round((made ? BLOCK : FIRST) * engine.rate));
    busy += performance.now() - began;
    if (!block.length) break;
    made += block.length;
    postMessage({ block, made, busy, number: wish.number });
    wish.to.postMessage(block, [block.buffer]);
    if (await pace.stopped(made)) return;
  }
  wish.to.postMessage({ end: true });
  postMessage({ ended: true, made, busy, number: wish.number });
}

/**
 * Holds the work back while so many samples are made that have not been played, and between blocks
 * lets messages in.
 * @param {MessagePort} to
 * @param {number} most
 */
function paced(to, most) {
  let played = 0;
  let stopped = false;
  let go = () => {};
  const turn = new MessageChannel();
  turn.port1.onmessage = () => go();
  to.onmessage = ({ data }) => {
    played = data;
    go();
  };
  return {
    /** Whether to leave off, when it is time for more than the samples made. */
    async stopped(/** @type {number} */ made) {
      do {
        const next = new Promise((resolve) => (go = () => resolve(undefined)));
        if (made - played < most) turn.port2.postMessage(0);
        await next;
      } while (!stopped && made - played >= most);
      return stopped;
    },
    stop() {
      stopped = true;
      go();
      to.close();
    },
  };
}
