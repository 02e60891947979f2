// @ts-check
/**
 * The front end of a voice: from a text to the frames that its WaveNet speaks from.
 *
 * "seven, two" -> words -> phones -> frames of each phone -> level, pitch -> mel bands -> frames
 *
 * As in Python, wn_runtime/speech/front_end.py, number for number.
 */

import { WavestepError, unknown } from "./errors.js";
import { SILENCE, columns, rounded, wholeFrames, width } from "./linguistic.js";
import { PROSODY_OUTPUTS, frameChannels } from "./spec.js";
import { PAUSE, words } from "./text.js";

/**
 * @typedef {import("./spec.js").SpeechSpec} SpeechSpec
 * @typedef {import("./weights.js").Predictor} Predictor
 * @typedef {import("./dictionary.js").Dictionary} Dictionary
 */

/**
 * @typedef {object} Options
 * @property {string | number | null} [speaker] a name or an index; none for a voice of one
 * @property {number} [rate] 2 is twice as fast
 */

/**
 * Phones in time.
 * @typedef {object} Spoken
 * @property {string[]} phones
 * @property {Int32Array} lengths how many frames each lasts
 */

/**
 * @typedef {object} Frames
 * @property {Float32Array} frames (count, channels), a row a frame
 * @property {number} count
 * @property {number} channels mel bands, level, ln F0, voicing, and the columns of phones
 * @property {number} hop samples that a frame lasts
 * @property {number} sampleRate Hz
 * @property {string[]} phones what is said
 * @property {Int32Array} lengths how many frames each phone lasts
 */

const EDGE_S = 0.15; // silence before the first word, and after the last
const PAUSE_S = 0.25; // silence of a comma or a full stop
const SLOWEST = 0.25;
const FASTEST = 4;
const LONGEST_PHONE_S = 2;
/** Of the frames of a text, and of each network's rows on the way to them. */
const MOST_BYTES = 2 ** 26;

/** Its answer depends on text, speaker and rate alone. */
export class FrontEnd {
  #number;
  #predictors;

  /**
   * @param {SpeechSpec} spec
   * @param {Record<string, Predictor>} predictors durations, prosody and, with mel bands, spectrum
   * @param {Dictionary} dictionary
   */
  constructor(spec, predictors, dictionary) {
    this.spec = spec;
    this.dictionary = dictionary;
    this.#predictors = predictors;
    this.#number = new Map(spec.features.phones.map((phone, i) => [phone, i]));
  }

  /**
   * The frames of a text.
   * @param {string} text
   * @param {Options} [options]
   * @returns {Frames}
   * @throws {WavestepError} for a text without a word or too long, words that no dictionary has, an
   *   unknown speaker
   */
  frames(text, options = {}) {
    const { phones, lengths } = this.spoken(text, options);
    const { hop, sample_rate: sampleRate } = this.spec.features;
    const channels = frameChannels(this.spec);
    const frames = this.#rendered(phones, lengths, options.speaker);
    return { frames, count: frames.length / channels, channels, hop, sampleRate, phones, lengths };
  }

  /**
   * A text to phones in time.
   * @param {string} text
   * @param {Options} [options]
   * @returns {Spoken}
   * @throws {WavestepError} as `frames` does
   */
  spoken(text, { speaker, rate = 1 } = {}) {
    if (!(rate >= SLOWEST && rate <= FASTEST)) {
      throw new WavestepError(`rate is ${rate}; it must be ${SLOWEST} to ${FASTEST}`);
    }
    const { phones, least } = this.#phones(text);
    this.#checkLength(phones.length);
    const { features } = this.spec;
    const hopS = features.hop / features.sample_rate;
    const inventory = features.phones.length;
    const rows = new Float32Array(phones.length * inventory);
    this.#numbers(phones).forEach((phone, i) => (rows[i * inventory + phone] = 1));
    const most = Math.log(LONGEST_PHONE_S / hopS);
    let end = 0;
    // The rounding of one is made up for by the next: the tempo is kept.
    const ends = Float64Array.from(
      this.#predicted("durations", rows, phones.length, speaker),
      (log, i) => {
        const frames = Math.exp(Math.min(Math.max(log, 0), most)) / rate;
        return (end += Math.max(frames, least[i] / hopS, 1));
      },
    );
    return { phones, lengths: wholeFrames(ends) };
  }

  /**
   * Level, pitch and mel bands of phones in time, as this speaker has them.
   * @param {string[]} phones
   * @param {Int32Array} lengths
   * @param {string | number | null | undefined} speaker
   */
  #rendered(phones, lengths, speaker) {
    const count = lengths.reduce((sum, length) => sum + length, 0);
    this.#checkLength(count);
    const { phones: inventory, mel } = this.spec.features;
    const silence = /** @type {number} */ (this.#number.get(SILENCE));
    const rows = columns(this.#numbers(phones), lengths, silence, inventory.length);
    const prosody = this.#predicted("prosody", rows, count, speaker);
    for (let i = 2; i < prosody.length; i += PROSODY_OUTPUTS) prosody[i] = Number(prosody[i] > 0);
    const spoken = width(inventory.length);
    const { mean, scale } = this.#predictors.prosody; // 0 and 1 for voicing, which stays as it is
    const normal = prosody.map((value, i) => {
      const column = i % PROSODY_OUTPUTS;
      return Math.fround(value - mean[column]) / scale[column];
    });
    const bands = mel
      ? this.#predicted(
          "spectrum",
          beside(count, [rows, spoken], [normal, PROSODY_OUTPUTS]),
          count,
          speaker,
        )
      : new Float32Array();
    return beside(count, [bands, mel], [prosody, PROSODY_OUTPUTS], [rows, spoken]);
  }

  /**
   * The phones of a text, and how many seconds each lasts at least.
   * @param {string} text
   */
  #phones(text) {
    const said = words(text);
    const spelled = this.dictionary.phonesOf(said);
    const phones = [SILENCE];
    const least = [EDGE_S];
    const silent = () => phones[phones.length - 1] === SILENCE;
    const longer = (/** @type {number} */ seconds) => {
      least[least.length - 1] = Math.max(least[least.length - 1], seconds);
    };
    const add = (/** @type {string} */ phone) => {
      phones.push(phone);
      least.push(0);
    };
    said.forEach((word, i) => {
      if ((word === PAUSE || this.spec.gaps) && !silent()) add(SILENCE);
      if (word === PAUSE) longer(PAUSE_S);
      spelled[i].forEach(add);
    });
    if (!silent()) add(SILENCE);
    longer(EDGE_S);
    return { phones, least };
  }

  /** @param {string[]} phones */
  #numbers(phones) {
    return Int32Array.from(phones, (phone) => /** @type {number} */ (this.#number.get(phone)));
  }

  /**
   * What a network says of rows (count, inputs) and the speaker, in its own units.
   * @param {string} part
   * @param {Float32Array} rows
   * @param {number} count
   * @param {string | number | null | undefined} speaker
   */
  #predicted(part, rows, count, speaker) {
    const { speakers } = this.spec;
    const who = new Float32Array(count * speakers.length);
    if (speakers.length) {
      const index = this.#index(speaker);
      for (let row = 0; row < count; row++) who[row * speakers.length + index] = 1;
    }
    const { net, mean, scale } = this.#predictors[part];
    const all = beside(count, [rows, rows.length / count], [who, speakers.length]);
    const result = net.apply(all, count);
    let finite = true;
    for (let i = 0; i < result.length; i++) {
      const column = i % mean.length;
      result[i] = Math.fround(result[i] * scale[column]) + mean[column];
      finite &&= Number.isFinite(result[i]);
    }
    if (finite) return result;
    throw new WavestepError(
      `this voice's ${part} are no finite numbers: its weights are damaged; train again`,
    );
  }

  /**
   * The index of a speaker given by name or by index; a name wins.
   * @param {string | number | null | undefined} speaker
   */
  #index(speaker) {
    const { speaker: kind, speakers } = this.spec;
    if (speaker === undefined || speaker === null) {
      throw new WavestepError(`say who speaks: ${kind}, one of ${speakers.join(", ")}`);
    }
    const text = String(speaker);
    const named = speakers.indexOf(text);
    if (named >= 0) return named;
    if (!/^-?[0-9]{1,10}$/.test(text)) {
      throw new WavestepError(unknown(kind, text, speakers, "this model has"));
    }
    const index = Number(text);
    if (index >= 0 && index < speakers.length) return index;
    const range = `this model has ${speakers.length}: 0 to ${speakers.length - 1}`;
    throw new WavestepError(`${kind} index ${text} is out of range; ${range}`);
  }

  /**
   * Of a text: its frames, or so far its phones, of which each lasts one at least.
   * @param {number} frames
   */
  #checkLength(frames) {
    const { spec } = this;
    const widest = Math.max(frameChannels(spec) + spec.speakers.length, spec.channels);
    if (frames * widest * Float32Array.BYTES_PER_ELEMENT <= MOST_BYTES) return;
    const seconds = rounded((frames * spec.features.hop) / spec.features.sample_rate);
    throw new WavestepError(`this text lasts ${seconds} s or more; give less of it at a time`);
  }
}

/**
 * Arrays side by side, row by row.
 * @param {number} count
 * @param {...[Float32Array, number]} parts numbers, and how many a row
 */
function beside(count, ...parts) {
  const width = parts.reduce((sum, [, columns]) => sum + columns, 0);
  const all = new Float32Array(count * width);
  let first = 0;
  for (const [part, columns] of parts) {
    for (let row = 0; row < count; row++) {
      const [from, to] = [row * columns, row * width + first];
      for (let i = 0; i < columns; i++) all[to + i] = part[from + i];
    }
    first += columns;
  }
  return all;
}
