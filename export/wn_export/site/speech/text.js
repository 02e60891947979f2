// @ts-check
/** What is to be read of a text: its words in lower case, digits one by one, and pauses. */

import { byCodePoints } from "./closest.js";
import { WavestepError, listed, quoted } from "./errors.js";

/** Stands among the words where the text has a pause. */
export const PAUSE = ",";
export const MOST_CHARACTERS = 10_000;

const DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const PAUSES = /[,;:.!?…\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/u;
const APOSTROPHES = /['’ʼ＇]/u;
const DIGIT = /\p{Nd}/u;
const LETTER = /[\p{L}\p{M}]/u;
/** Blanks that Unicode has among the control characters, beside those that are pauses. */
const BLANKS = /[\t\x1f]/u;
const READABLE = /[\p{L}\p{M}\p{P}\p{Z}\p{Nd}]/u;
/** Punctuation that is a word: left out, the text would say something else. */
const UNREADABLE = /[#%&*@/\\§¶†‡‰]/u;

/**
 * The words of a text in order; PAUSE between two of them where the text has a pause.
 *
 * Other punctuation parts words and is left out, save an apostrophe within a word.
 * `words("Don't: 7-4!")` is `["don't", ",", "seven", "four"]`.
 * @param {string} text
 * @returns {string[]}
 * @throws {WavestepError} for a text that is too long, that has no word in it, or characters that
 *   cannot be read, which it names
 */
export function words(text) {
  const count = [...text].length;
  if (count > MOST_CHARACTERS) {
    const most = `at most ${MOST_CHARACTERS} are read at a time`;
    throw new WavestepError(`the text has ${count} characters; ${most}`);
  }
  const plain = text.normalize("NFC").toLowerCase();
  checkReadable(plain);
  /** @type {string[]} */
  const found = [];
  for (const piece of Array.from(plain, spaced).join("").split(" ")) {
    const word = piece.replace(/^'+|'+$/g, "");
    const last = found.at(-1) ?? PAUSE;
    // A pause says nothing twice in a row, nor before the first word.
    if (word && !(word === PAUSE && last === PAUSE)) found.push(word);
  }
  if (found.at(-1) === PAUSE) found.pop();
  if (!found.length) {
    const what = `the text ${quoted(plain, 60)} has no word in it`;
    throw new WavestepError(`${what}; write what is to be said`);
  }
  return found;
}

/**
 * A character as it goes into words, which blanks part.
 * @param {string} character
 */
function spaced(character) {
  if (APOSTROPHES.test(character)) return "'";
  if (PAUSES.test(character)) return ` ${PAUSE} `;
  if (DIGIT.test(character)) return ` ${DIGITS[decimal(character)]} `;
  return LETTER.test(character) ? character : " ";
}

/**
 * The value of a decimal digit of any script. Unicode has them in tens, zero first, and where tens
 * of several styles adjoin each is whole.
 * @param {string} digit
 */
function decimal(digit) {
  const code = /** @type {number} */ (digit.codePointAt(0));
  let before = 0;
  while (DIGIT.test(String.fromCodePoint(code - before - 1))) before++;
  return before % 10;
}

/** @param {string} text */
function checkReadable(text) {
  const unreadable = [...new Set(text)].filter((character) => !isReadable(character));
  if (unreadable.length) {
    const named = listed(unreadable.sort(byCodePoints).map((character) => quoted(character)));
    throw new WavestepError(
      `the text has characters that cannot be read: ${named}; write them as words`,
    );
  }
}

/** @param {string} character */
function isReadable(character) {
  if (PAUSES.test(character) || APOSTROPHES.test(character) || BLANKS.test(character)) return true;
  return READABLE.test(character) && !UNREADABLE.test(character);
}
