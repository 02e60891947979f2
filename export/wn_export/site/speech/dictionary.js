// @ts-check
/** How words are pronounced. */

import { closest } from "./closest.js";
import { WavestepError, listed, quoted } from "./errors.js";
import { PAUSE } from "./text.js";

const FEW = 40; // words that a message lists
// Of unknown words those that are told what is near them, and of known ones those that are asked.
const HINTED = 3;
const COMPARED = 4000;
const LONGEST_WORD = 64;

/** Words in lower case, and for each its usual pronunciation. */
export class Dictionary {
  /** @param {ReadonlyMap<string, readonly string[]>} pronunciations phones of each word */
  constructor(pronunciations) {
    this.pronunciations = pronunciations;
  }

  /**
   * The phones of each word in turn; of a PAUSE none.
   * @param {readonly string[]} words
   * @returns {(readonly string[])[]}
   * @throws {WavestepError} that names all the words it does not know
   */
  phonesOf(words) {
    this.check(words);
    return words.map((word) => (word === PAUSE ? [] : (this.pronunciations.get(word) ?? [])));
  }

  /**
   * @param {readonly string[]} words
   * @throws {WavestepError} that names all the words it does not know, and what is near them
   */
  check(words) {
    const known = this.pronunciations;
    const unknown = [...new Set(words)].filter((word) => word !== PAUSE && !known.has(word));
    if (!unknown.length) return;
    const named = unknown.map((word, i) => quoted(word, 60) + (i < HINTED ? this.#hint(word) : ""));
    const has =
      known.size <= FEW ? `it has: ${listed([...known.keys()])}` : "give a dictionary that has all";
    const are = unknown.length === 1 ? "a word is" : `${unknown.length} words are`;
    throw new WavestepError(`${are} not in the dictionary: ${listed(named)}; ${has}`);
  }

  /** @param {string} word */
  #hint(word) {
    const length = [...word].length;
    if (length > LONGEST_WORD) return "";
    const known = [...this.pronunciations.keys()];
    const first = String.fromCodePoint(/** @type {number} */ (word.codePointAt(0)));
    // Those alone that begin alike: to compare with all of a large dictionary takes seconds.
    const some =
      known.length <= FEW
        ? known
        : known.filter(
            (other) => other.startsWith(first) && Math.abs([...other].length - length) < 3,
          );
    const near = closest(word, some.slice(0, COMPARED));
    return near === undefined ? "" : ` (did you mean ${quoted(near)}?)`;
  }
}

/**
 * The dictionary in a text of lines `word P H O N E S`, one a word.
 * @param {string} text
 * @returns {Dictionary}
 */
export function parse(text) {
  const lines = text.split("\n").filter((line) => line);
  return new Dictionary(
    new Map(
      lines.map((line) => {
        const [word, ...phones] = line.split(" ");
        return [word, phones];
      }),
    ),
  );
}
