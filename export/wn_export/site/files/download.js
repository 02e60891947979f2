// @ts-check
/** Files of the site, as they come: how much of them is here, and whether they are whole. */

import { WavestepError } from "../speech/errors.js";

const GZIP = [0x1f, 0x8b];

/**
 * What the site says of a file.
 * @typedef {{name: string, bytes: number}} FileRecord
 */

/**
 * What a server answers that has the file.
 * @param {URL} url
 * @throws {WavestepError} where there is none
 */
export async function answered(url) {
  const response = await fetch(url).catch(() => undefined);
  if (response?.ok) return response;
  const reason = response ? `the server says ${response.status}` : "is the server still there?";
  throw new WavestepError(`${nameOf(url)} cannot be fetched: ${reason}`);
}

/** @param {URL} url */
function nameOf(url) {
  return url.pathname.split("/").pop();
}

/**
 * A file of the site, unpacked where it is compressed.
 * @param {URL} url
 * @param {number} bytes what it has, as it lies there
 * @param {(more: number) => void} arrived told of bytes as they come
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 * @throws {WavestepError} where it is missing, or not so long
 */
export async function download(url, bytes, arrived = () => {}) {
  const name = nameOf(url);
  const response = await answered(url);
  // A server that compresses what it sends, or takes it for compressed, gives other numbers.
  const asItLies = !response.headers.get("Content-Encoding");
  const file = new Uint8Array(await new Response(counted(response, arrived)).arrayBuffer());
  if (asItLies && file.length !== bytes)
    throw new WavestepError(cutShort(name, file.length, bytes));
  if (!GZIP.every((byte, i) => file[i] === byte)) return file;
  const unpacked = new Blob([file]).stream().pipeThrough(new DecompressionStream("gzip"));
  try {
    return new Uint8Array(await new Response(unpacked).arrayBuffer());
  } catch {
    throw new WavestepError(`${name} is damaged: it cannot be unpacked; copy the site again`);
  }
}

/**
 * @param {string | undefined} name
 * @param {number} found
 * @param {number} bytes
 */
function cutShort(name, found, bytes) {
  const what = found < bytes ? "cut short" : "another file";
  return `${name} has ${found} bytes in place of ${bytes}: it is ${what}; copy the site again`;
}

/**
 * @param {Response} response
 * @param {(more: number) => void} arrived
 */
function counted(response, arrived) {
  return response.body?.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        arrived(chunk.length);
        controller.enqueue(chunk);
      },
    }),
  );
}
