// @ts-check
/** The form: what it asks for depends on the model, and what is in it is what is to be heard. */

import { framesOf } from "../files/npy.js";
import { WavestepError } from "../speech/errors.js";
import { chosenConditions, made, showConditions } from "./conditions.js";

const FEW = 24; // words that are offered as buttons
const GREETING = 6; // words in the box to begin with
const SEEDS = { least: -(2n ** 63n), most: 2n ** 64n - 1n };

/**
 * What the page knows of the model.
 * @typedef {object} Model
 * @property {string} name
 * @property {number} rate Hz
 * @property {number} temperature
 * @property {number} channels of a frame; 0: it takes none
 * @property {number} hop samples of a frame
 * @property {import("../engine/engine.js").Condition[]} conditions
 * @property {Record<string, string>} chosen values of conditions to begin with
 * @property {string} precision
 * @property {number} [example] frames that the site has as an example
 * @property {string[]} [words] those that it can say; absent: it reads no text
 * @property {string} [speaker] the condition that says who reads
 */

/** @param {string} id */
const byId = (id) => /** @type {any} */ (document.getElementById(id));

export class Form {
  /** @type {Model | undefined} */
  #model;
  /** @type {Float32Array | undefined} */
  #frames;
  #chosen = 0; // files so far

  constructor() {
    for (const id of ["temperature", "rate"]) {
      byId(id).addEventListener("input", () => this.#showNumbers());
    }
    byId("dice").addEventListener("click", () => {
      byId("seed").value = crypto.getRandomValues(new Uint32Array(1))[0];
    });
  }

  /** Ask for what this model takes. @param {Model} model */
  show(model) {
    this.#model = model;
    const { words, channels, conditions, chosen, speaker, temperature } = model;
    byId("speech").hidden = byId("pace").hidden = !words;
    byId("framed").hidden = Boolean(words) || !channels;
    byId("file-hint").textContent = framesHint(model);
    if (words) this.#offer(words);
    showConditions(byId("conditions"), conditions, speaker, chosen);
    byId("temperature").value = temperature;
    this.#showNumbers();
    byId("ready").disabled = byId("settings").disabled = false;
    byId("loading").hidden = true;
  }

  /** Take a file of frames; none: forget it. @param {File | undefined} file */
  async take(file) {
    this.#frames = undefined;
    const turn = ++this.#chosen;
    if (!file || !this.#model) return;
    try {
      const frames = framesOf(await file.arrayBuffer(), this.#model.channels);
      if (turn === this.#chosen) this.#frames = frames; // else another was chosen meanwhile
    } catch (error) {
      if (turn !== this.#chosen) return;
      byId("file").value = ""; // or the example would play under its name
      throw error;
    }
  }

  /**
   * What is to be heard.
   * @throws {WavestepError} where something is missing or cannot be
   */
  wish() {
    const { words, channels, conditions, example } = /** @type {Model} */ (this.#model);
    if (channels && !words && !example && !this.#frames) {
      throw new WavestepError("this model speaks what frames describe: choose a .npy file of them");
    }
    return {
      text: words ? String(byId("text").value) : undefined,
      frames: this.#frames,
      rate: Number(byId("rate").value),
      temperature: Number(byId("temperature").value),
      seed: seedOf(byId("seed").value),
      chosen: chosenConditions(byId("conditions"), conditions),
    };
  }

  /** @param {readonly string[]} words */
  #offer(words) {
    const box = byId("text");
    const few = words.length <= FEW;
    if (!box.value && few) box.value = shuffled(words).slice(0, GREETING).join(" ");
    byId("words").hidden = !few;
    if (!few) return;
    const chips = words.map((word) => made("button", { type: "button", textContent: word }));
    for (const chip of chips) {
      chip.addEventListener("click", () => {
        box.value = `${box.value.trimEnd()} ${chip.textContent}`.trimStart();
      });
    }
    byId("words").replaceChildren(...chips);
  }

  #showNumbers() {
    byId("temperature-value").textContent = Number(byId("temperature").value).toFixed(2);
    byId("rate-value").textContent = `${Number(byId("rate").value).toFixed(2)}×`;
  }
}

/** What a file of frames must be. @param {Model} model */
function framesHint({ channels, hop, rate, example }) {
  const every = `${channels} numbers every ${Number(((1000 * hop) / rate).toFixed(1))} ms`;
  return every + (example ? "; without a file, a recording that was held back in training" : "");
}

/** @param {string} text */
function seedOf(text) {
  const found = /^\s*-?\d{1,20}\s*$/.test(text) ? BigInt(text.trim()) : undefined;
  if (found === undefined || found < SEEDS.least || found > SEEDS.most) {
    throw new WavestepError(
      `the seed is ${text.trim() || "missing"}; give a whole number of 64 bits`,
    );
  }
  return found;
}

/** @param {readonly string[]} words */
function shuffled(words) {
  return words
    .map((word) => ({ word, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ word }) => word);
}
