// @ts-check
/** What is wrong, the value met and how to mend it, in the words of Python's runtime. */

import { closest } from "./closest.js";

/** A line for whoever reads the page; any other error is a fault of the code. */
export class WavestepError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "WavestepError";
  }
}

const MOST_NAMES = 40; // of those listed in a message
const LONGEST = 60; // characters of a value in a message
/** What Python's str.isprintable says no to; it has no blank but the plain one. */
const HIDDEN = /[\p{C}\p{Z}]/u;
/** @type {Record<string, string>} */
const ESCAPES = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/**
 * Names in a message; of very many the first.
 * @param {readonly string[]} names
 */
export function listed(names) {
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
  return (names.slice(0, MOST_NAMES).join(", ") || "none") + more;
}

/**
 * A sentence for a name that is not one of `known`, with the nearest known one.
 * @param {string} kind
 * @param {string} value
 * @param {readonly string[]} known
 * @param {string} owner
 */
export function unknown(kind, value, known, owner) {
  const characters = [...value];
  const short = characters.length <= LONGEST;
  const near = short ? closest(value, known) : undefined;
  const hint = near === undefined ? "" : ` (did you mean ${quoted(near)}?)`;
  const shown = short ? quoted(value) : `${quoted(characters.slice(0, LONGEST - 3).join(""))}…`;
  return `${kind} ${shown} is unknown; ${owner}: ${listed(known)}${hint}`;
}

/**
 * A text in quotes, with what is not printable escaped, as Python's repr has it.
 * @param {string} text
 * @param {number} most characters of the result; more are cut off
 */
export function quoted(text, most = Infinity) {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inner = Array.from(text, (character) => escaped(character, quote)).join("");
  const whole = [...`${quote}${inner}${quote}`];
  return whole.slice(0, most).join("");
}

/**
 * @param {string} character
 * @param {string} quote
 */
function escaped(character, quote) {
  if (character === quote) return `\\${character}`;
  if (character in ESCAPES) return ESCAPES[character];
  if (character === " " || !HIDDEN.test(character)) return character;
  const code = /** @type {number} */ (character.codePointAt(0));
  const [letter, digits] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
  return `\\${letter}${code.toString(16).padStart(Number(digits), "0")}`;
}
