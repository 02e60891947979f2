// @ts-check
/** The name that was probably meant: what Python's difflib.get_close_matches finds first. */

const ENOUGH = 0.6; // of the ratio, 1 for equal texts

/**
 * The name nearest to a word, or undefined where none is near. Of equally near ones the last in the
 * order of code points.
 * @param {string} word
 * @param {Iterable<string>} names
 */
export function closest(word, names) {
  const wanted = [...word];
  /** @type {{ratio: number, name: string | undefined}} */
  let best = { ratio: 0, name: undefined };
  for (const name of names) {
    const some = [...name];
    const total = some.length + wanted.length;
    // No more characters can be the same than the shorter one has.
    if ((2 * Math.min(some.length, wanted.length)) / total < ENOUGH) continue;
    const ratio = (2 * common(some, wanted)) / total;
    if (ratio < ENOUGH || ratio < best.ratio) continue;
    if (ratio > best.ratio || best.name === undefined || byCodePoints(best.name, name) < 0) {
      best = { ratio, name };
    }
  }
  return best.name;
}

/**
 * The order of Python's texts, for Array.sort: by code points, which is not that of UTF-16.
 * @param {string} one
 * @param {string} other
 */
export function byCodePoints(one, other) {
  const a = Array.from(one, code);
  const b = Array.from(other, code);
  const differ = a.findIndex((value, i) => value !== b[i]);
  if (differ < 0) return a.length - b.length;
  return differ < b.length ? a[differ] - b[differ] : 1;
}

/** @param {string} character */
function code(character) {
  return /** @type {number} */ (character.codePointAt(0));
}

/**
 * Characters in common, in order: those of the longest run that both have, the first of several,
 * and so on before and behind it (Ratcliff and Obershelp).
 * @param {readonly string[]} a
 * @param {readonly string[]} b
 * @returns {number}
 */
function common(a, b) {
  let length = 0;
  let inA = 0;
  let inB = 0;
  let above = new Uint8Array(b.length + 1); // [j + 1]: the run that ends at a[i - 1] and b[j]
  for (let i = 0; i < a.length; i++) {
    const runs = new Uint8Array(b.length + 1);
    for (let j = 0; j < b.length; j++) {
      if (a[i] !== b[j]) continue;
      runs[j + 1] = above[j] + 1;
      if (runs[j + 1] > length) {
        length = runs[j + 1];
        inA = i + 1 - length;
        inB = j + 1 - length;
      }
    }
    above = runs;
  }
  if (!length) return 0;
  const before = common(a.slice(0, inA), b.slice(0, inB));
  return before + length + common(a.slice(inA + length), b.slice(inB + length));
}
