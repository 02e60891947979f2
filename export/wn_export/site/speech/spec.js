// @ts-check
/** What a voice is beside its WaveNet: its phones, its speakers, and the size of its networks. */

import { WavestepError } from "./errors.js";
import { SILENCE, width as linguisticColumns } from "./linguistic.js";

/**
 * Of `speech` in a model's manifest, what the front end reads.
 * @typedef {object} SpeechSpec
 * @property {{sample_rate: number, hop: number, mel: number, phones: string[]}} features
 * @property {string} speaker the condition that says who speaks; empty: one speaker
 * @property {string[]} speakers its values
 * @property {boolean} gaps whether a short silence stands between any two words
 * @property {number} channels
 * @property {number} layers
 * @property {number} width rows that a convolution spans
 */

/**
 * A network's sizes: numbers a row that it takes and that it predicts.
 * @typedef {{inputs: number, outputs: number}} Sizes
 */

export const FORMAT = 1; // of speech.json
/** Level, ln F0, and the log odds that it is voiced. */
export const PROSODY_OUTPUTS = 3;

/**
 * Columns of a frame: mel bands, level, ln F0 and voicing, phones.
 * @param {SpeechSpec} spec
 */
export function frameChannels({ features }) {
  return features.mel + PROSODY_OUTPUTS + linguisticColumns(features.phones.length);
}

/**
 * Its networks, each over what the one before makes; `spectrum` where the voice has mel bands.
 * @param {SpeechSpec} spec
 * @returns {Record<string, Sizes>}
 */
export function networks({ features, speakers }) {
  const phones = features.phones.length;
  const rows = linguisticColumns(phones) + speakers.length;
  /** @type {Record<string, Sizes>} */
  const table = {
    durations: { inputs: phones + speakers.length, outputs: 1 },
    prosody: { inputs: rows, outputs: PROSODY_OUTPUTS },
  };
  if (features.mel) table.spectrum = { inputs: rows + PROSODY_OUTPUTS, outputs: features.mel };
  return table;
}

/**
 * speech.json, as wn-export writes it for a site: the spec and the text of a dictionary.
 * @param {string | object} json its text, or what is in it
 * @returns {{spec: SpeechSpec, words: string}}
 * @throws {WavestepError} for what is none, or of another version
 */
export function read(json) {
  /** @type {any} */
  let found;
  try {
    found = typeof json === "string" ? JSON.parse(json) : json;
  } catch {
    found = null;
  }
  if (found?.format !== undefined && found.format !== FORMAT) {
    throw new WavestepError(
      `speech.json is of format ${found.format}, this page reads ${FORMAT}; export the site again`,
    );
  }
  if (!found || typeof found.words !== "string" || !isSpec(found.spec)) {
    throw new WavestepError("speech.json is cut short or damaged; export the site again");
  }
  return found;
}

/** @param {any} spec */
function isSpec(spec) {
  const within = (
    /** @type {any} */ value,
    /** @type {number} */ least,
    /** @type {number} */ most,
  ) => Number.isSafeInteger(value) && value >= least && value <= most;
  const texts = (/** @type {unknown} */ list) =>
    Array.isArray(list) && list.every((value) => typeof value === "string");
  const features = spec?.features;
  return (
    Boolean(features) &&
    within(features.sample_rate, 1, 1e6) &&
    within(features.hop, 1, 1e9) &&
    within(features.mel, 0, 1e6) &&
    within(spec.channels, 1, 2048) &&
    within(spec.layers, 1, 16) &&
    within(spec.width, 1, 63) &&
    spec.width % 2 === 1 &&
    texts(features.phones) &&
    features.phones.includes(SILENCE) &&
    texts(spec.speakers) &&
    typeof spec.speaker === "string" &&
    typeof spec.gaps === "boolean"
  );
}
