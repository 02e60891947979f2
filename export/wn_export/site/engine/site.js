// @ts-check
/** What the site says of its model, and all of that opened. */

import { answered, download } from "../files/download.js";
import { framesOf } from "../files/npy.js";
import { WavestepError } from "../speech/errors.js";
import { loadFrontEnd } from "../speech/load.js";
import { Engine } from "./engine.js";

const FORMAT = 1;

/**
 * model/site.json: files by what they are, each with the bytes it has as it lies there.
 * `chosen` is who speaks in the example, by condition.
 * @typedef {{format: number, precision: string, files: Record<string, FileRecord>,
 *   chosen: Record<string, string>}} Index
 * @typedef {import("../files/download.js").FileRecord} FileRecord
 * @typedef {Awaited<ReturnType<typeof openSite>>} Opened
 */

/**
 * @param {URL} index of model/site.json
 * @param {import("./builds.js").Build} build
 * @param {(part: number) => void} arrived told how much has been fetched, of 1
 * @throws {WavestepError} where a file is missing, damaged or too large
 */
export async function openSite(index, build, arrived) {
  const { format, precision, files, chosen } = /** @type {Index} */ (await described(index));
  if (format !== FORMAT) {
    throw new WavestepError("model and page are of different versions; export the site again");
  }
  const wanted = [build, "model", "speech", "words", "example"].filter((what) => files[what]);
  const total = wanted.reduce((sum, what) => sum + files[what].bytes, 0);
  let here = 0;
  const fetched = await Promise.all(
    wanted.map(async (what) => {
      const { name, bytes } = files[what];
      const file = await download(new URL(name, index), bytes, (more) => {
        here += more;
        arrived(Math.min(here / total, 1));
      });
      return /** @type {const} */ ([what, file]);
    }),
  );
  const file = Object.fromEntries(fetched);
  const engine = new Engine(await WebAssembly.compile(file[build]), file.model);
  const frontEnd = file.speech && loadFrontEnd(new TextDecoder().decode(file.words), file.speech);
  const example = file.example && framesOf(file.example.buffer, engine.channels);
  return { engine, voice: engine.voice(), frontEnd, example, chosen, precision };
}

/** @param {URL} url @returns {Promise<unknown>} */
async function described(url) {
  const response = await answered(url);
  try {
    return await response.json();
  } catch {
    throw new WavestepError("site.json is damaged; copy the site again");
  }
}
