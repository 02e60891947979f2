// @ts-check
/**
 * A voice's front end from the two files that a site ships of it.
 *
 *     import { fetchFrontEnd } from "./speech/load.js";
 *
 *     const voice = await fetchFrontEnd(".");
 *     const { frames, count, channels, hop } = voice.frames("seven, two", { speaker: "jackson" });
 */

import { parse } from "./dictionary.js";
import { WavestepError, unknown } from "./errors.js";
import { FrontEnd } from "./front_end.js";
import * as safetensors from "./safetensors.js";
import * as specs from "./spec.js";
import { predictors } from "./weights.js";

/** The spec and the words, and the weights. */
export const FILES = Object.freeze({ json: "speech.json", tensors: "speech.safetensors" });

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
        throw new WavestepError(`${FILES.json}: ${what}`);
      }
    }
  }
  const bytes = plain(tensors);
  const weights = safetensors.read(bytes, FILES.tensors);
  return new FrontEnd(spec, predictors(spec, weights, FILES.tensors), dictionary);
}

/**
 * The same of files on a server.
 * @param {string} folder where they are, as the page or worker that asks would write it
 * @returns {Promise<FrontEnd>}
 * @throws {WavestepError} as `loadFrontEnd` does, and for a file that does not come
 */
export async function fetchFrontEnd(folder) {
  const [json, tensors] = await Promise.all([
    fetched(`${folder}/${FILES.json}`).then((response) => response.text()),
    fetched(`${folder}/${FILES.tensors}`).then((response) => response.arrayBuffer()),
  ]);
  return loadFrontEnd(json, tensors);
}

/**
 * The bytes as a Uint8Array and no more: Node's Buffer has a `slice` that does not copy.
 * @param {ArrayBuffer | Uint8Array} data
 */
function plain(data) {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** @param {string} url */
async function fetched(url) {
  let response;
  try {
    response = await fetch(url);
  } catch {
    throw new WavestepError(`${url} cannot be loaded: no answer; is its server still there?`);
  }
  if (response.ok) return response;
  throw new WavestepError(
    `${url} cannot be loaded: status ${response.status}; export the site again`,
  );
}
