// @ts-check
/**
 * The sound that was played last: its wave, and its spectrum below on the same axis of time.
 *
 *     ──────────── older ────────────── now ┐
 *     waveform                              │ a column every 10 ms, the newest on the right
 *     spectrogram, 0 Hz at the bottom       ┘
 */

import { Spectrum } from "./fft.js";

const COLUMN = 0.01; // seconds
const SIZE = 256; // samples of a spectrum
const WAVE = 0.34; // of the height
const QUIETEST = -90; // decibels
const LOUDEST = -15;
const FINEST = 2; // device pixels of a CSS pixel, at most

/** @typedef {{ground: string, wave: string, line: string, ramp: Uint32Array}} Colours of CSS; pixels */
/** @typedef {{slice: (begin: number, end: number) => Float32Array, rate: number}} Sound */

export class Strip {
  #canvas;
  #context;
  #spectrum = new Spectrum(SIZE);
  #decibels = new Float32Array(SIZE / 2);
  #width = 1; // device pixels of a column
  #hop = 1;
  /** @type {Sound | undefined} */
  #sound;
  #drawn = 0; // columns
  onresize = () => {};

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = /** @type {CanvasRenderingContext2D} */ (
      canvas.getContext("2d", { alpha: false, desynchronized: true })
    );
    new ResizeObserver(() => this.#resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#redraw());
  }

  /** Show this one from now on. @param {Sound} sound */
  show(sound) {
    this.#sound = sound;
    this.#hop = Math.round(sound.rate * COLUMN);
    this.#drawn = 0;
    this.#redraw();
  }

  /** Draw what was played since, up to this sample. @param {number} end */
  advance(end) {
    const columns = Math.floor(end / this.#hop);
    const fresh = Math.min(columns - this.#drawn, this.#columns);
    if (!this.#sound || fresh <= 0) return;
    this.#shift(fresh);
    const colours = this.#colours();
    for (let i = 0; i < fresh; i++)
      this.#draw(columns - fresh + i, this.#columns - fresh + i, colours);
    this.#drawn = columns;
  }

  /** Seconds from its left edge to its right. */
  get seconds() {
    return this.#columns * COLUMN;
  }

  get #columns() {
    return this.#canvas.width / this.#width;
  }

  #resize() {
    const scale = Math.min(devicePixelRatio, FINEST);
    const { clientWidth, clientHeight } = this.#canvas;
    this.#width = Math.round(scale);
    this.#canvas.width = Math.ceil((clientWidth * scale) / this.#width) * this.#width;
    this.#canvas.height = Math.round(clientHeight * scale);
    this.#redraw();
    this.onresize();
  }

  #redraw() {
    const colours = this.#colours();
    const { width, height } = this.#canvas;
    this.#context.fillStyle = colours.ground;
    this.#context.fillRect(0, 0, width, height);
    const shown = this.#columns;
    for (let i = 0; i < shown; i++) this.#draw(this.#drawn - shown + i, i, colours);
  }

  /** Move what is there to the left. @param {number} columns */
  #shift(columns) {
    const { width, height } = this.#canvas;
    const by = columns * this.#width;
    this.#context.drawImage(this.#canvas, by, 0, width - by, height, 0, 0, width - by, height);
  }

  /**
   * @param {number} column of the sound; before its beginning there is silence
   * @param {number} place from the left
   * @param {Colours} colours
   */
  #draw(column, place, colours) {
    const context = this.#context;
    const width = this.#width;
    const x = place * width;
    const { height } = this.#canvas;
    const split = Math.round(height * WAVE);
    context.fillStyle = colours.ground;
    context.fillRect(x, 0, width, split);
    const begin = column * this.#hop;
    const piece = begin < 0 ? undefined : this.#sound?.slice(begin, begin + this.#hop);
    const [low, high] = piece ? [Math.min(...piece), Math.max(...piece)] : [0, 0];
    const middle = split / 2;
    const top = middle - high * middle * 0.94;
    const tall = Math.max((high - low) * middle * 0.94, width);
    context.fillStyle = piece ? colours.wave : colours.line;
    context.fillRect(x, top, width, tall);
    this.#drawSpectrum(column, x, width, split, colours);
  }

  /**
   * @param {number} column
   * @param {number} x
   * @param {number} width
   * @param {number} split where the spectrum begins, from the top
   * @param {Colours} colours
   */
  #drawSpectrum(column, x, width, split, colours) {
    const tall = this.#canvas.height - split;
    const image = this.#context.createImageData(width, tall);
    const pixels = new Uint32Array(image.data.buffer);
    if (column < 0 || !this.#sound) {
      pixels.fill(colours.ramp[0]);
    } else {
      const end = (column + 1) * this.#hop;
      this.#spectrum.decibels(this.#sound.slice(end - SIZE, end), this.#decibels);
      const last = this.#decibels.length - 1;
      for (let y = 0; y < tall; y++) {
        const bin = ((tall - 1 - y) / Math.max(tall - 1, 1)) * last;
        const low = Math.floor(bin);
        const above = this.#decibels[Math.min(low + 1, last)];
        const value = this.#decibels[low] + (above - this.#decibels[low]) * (bin - low);
        const part = (value - QUIETEST) / (LOUDEST - QUIETEST);
        const colour = colours.ramp[Math.max(0, Math.min(255, Math.round(part * 255)))];
        pixels.fill(colour, y * width, (y + 1) * width);
      }
    }
    this.#context.putImageData(image, x, split);
  }

  /** @returns {Colours} */
  #colours() {
    const style = getComputedStyle(this.#canvas);
    const of = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
    return { ground: of("ground"), wave: of("wave"), line: of("line"), ramp: rampOf(of("ramp")) };
  }
}

/** @type {{text: string, ramp: Uint32Array}} */
let kept = { text: "", ramp: new Uint32Array(256) };

/**
 * 256 colours between those of a list of #rrggbb, as pixels.
 * @param {string} text
 */
function rampOf(text) {
  if (kept.text === text) return kept.ramp;
  const stops = text.split(/\s+/).map((stop) => Number.parseInt(stop.slice(1), 16));
  const ramp = new Uint32Array(256);
  ramp.forEach((_, i) => {
    const at = (i / 255) * (stops.length - 1);
    const low = Math.min(Math.floor(at), stops.length - 2);
    const channel = (/** @type {number} */ shift) => {
      const [one, other] = [(stops[low] >> shift) & 255, (stops[low + 1] >> shift) & 255];
      return Math.round(one + (other - one) * (at - low));
    };
    ramp[i] = ((255 << 24) | (channel(0) << 16) | (channel(8) << 8) | channel(16)) >>> 0;
  });
  kept = { text, ramp };
  return ramp;
}
