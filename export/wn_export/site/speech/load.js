// @ts-check
/**
 * A voice's front end from the two files that a site ships of it.
 *
 *     const voice = loadFrontEnd(json, tensors);
 *     const { frames, count, channels, hop } = voice.frames("seven, two", { speaker: "jackson" });
 */

import { parse } from "./dictionary.js";
import { WavestepError, unknown } from "./errors.js";
import { FrontEnd } from "./front_end.js";
import * as safetensors from "./safetensors.js";
import * as specs from "./spec.js";
import { predictors } from "./weights.js";

const JSON_FILE = "speech.json";
const TENSORS_FILE = "speech.safetensors";

/**
 * @param {string | object} json speech.json: its text, or what is in it
 * @param {ArrayBuffer | Uint8Array} tensors speech.safetensors
 * @returns {FrontEnd}
 * @throws {WavestepError} for a file that is cut short, damaged, or not of the other
 */
export function loadFrontEnd(json, tensors) {
  const { spec, words } = specs.read(json);
  const dictionary = parse(words);
  for (const phones of dictionary.pronunciations.values()) {
    for (const phone of phones) {
      if (!spec.features.phones.includes(phone)) {
        const what = unknown("phone", phone, spec.features.phones, "this voice has");
        throw new WavestepError(`${JSON_FILE}: ${what}`);
      }
    }
  }
  const bytes = plain(tensors);
  const weights = safetensors.read(bytes, TENSORS_FILE);
  return new FrontEnd(spec, predictors(spec, weights, TENSORS_FILE), dictionary);
}

/**
 * The bytes as a Uint8Array and no more: Node's Buffer has a `slice` that does not copy.
 * @param {ArrayBuffer | Uint8Array} data
 */
function plain(data) {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
