// @ts-check
/**
 * What a frame tells of the phones: which one, its neighbours, how far into it, how long it is.
 *
 *     phones      sil      s        EH    …         each lasts a whole number of frames
 *     frames      |..|..|..|..|..|..|..|..|..|..|
 *     columns     one-hot of the phone, of the one before, of the one after; four of its time
 *
 * Beyond both ends there is silence.
 */

/** The phone of a pause. */
export const SILENCE = "sil";
/** Columns of a frame's time: place in its phone, ln of its number from either end, ln of all. */
const TIMES = 4;

/**
 * How many columns an inventory of phones has.
 * @param {number} phones
 */
export function width(phones) {
  return 3 * phones + TIMES;
}

/**
 * Phones and how many frames each lasts to rows (sum of frames, 3P + 4).
 * @param {Int32Array} phones numbers in the inventory
 * @param {Int32Array} lengths frames of each
 * @param {number} silence its number
 * @param {number} inventory P
 */
export function columns(phones, lengths, silence, inventory) {
  const each = width(inventory);
  const rows = new Float32Array(lengths.reduce((sum, length) => sum + length, 0) * each);
  let row = 0;
  phones.forEach((phone, i) => {
    const length = lengths[i];
    const before = i > 0 ? phones[i - 1] : silence;
    const after = i + 1 < phones.length ? phones[i + 1] : silence;
    for (let into = 0; into < length; into++, row += each) {
      rows[row + phone] = 1;
      rows[row + inventory + before] = 1;
      rows[row + 2 * inventory + after] = 1;
      const times = row + 3 * inventory;
      rows[times] = (into + 0.5) / length;
      rows[times + 1] = Math.log1p(into);
      rows[times + 2] = Math.log(length - into);
      rows[times + 3] = Math.log(length);
    }
  });
  return rows;
}

/**
 * Where phones end, in frames and fractions, to how many whole frames each lasts: one at least. The
 * last one's end, rounded, is the end of all.
 * @param {Float64Array} ends
 * @returns {Int32Array}
 */
export function wholeFrames(ends) {
  const count = ends.length;
  const total = rounded(ends[count - 1]);
  const lengths = new Int32Array(count);
  let before = 0;
  ends.forEach((end, i) => {
    const least = before + 1; // of this one
    const most = total - (count - 1 - i); // of those behind it
    const edge = Math.min(Math.max(i === count - 1 ? total : rounded(end), least), most);
    lengths[i] = edge - before;
    before = edge;
  });
  return lengths;
}

/**
 * To the nearest whole number, halves to the even one, as NumPy and Python do.
 * @param {number} value 0 or more
 */
export function rounded(value) {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
