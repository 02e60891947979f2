// @ts-check
/** A model in the memory of WebAssembly, and a voice of it: wavestep.h, from JavaScript. */

import { WavestepError } from "../speech/errors.js";

const ALIGNMENT = 64; // WAVESTEP_ALIGNMENT
const ABI = 1; // WAVESTEP_ABI
const PAGE = 65536;
const ADDRESSES = 2 ** 32;
const AHEAD = 256; // frames that a voice holds beyond those it is made of
const LONGEST = 4096; // samples of one call

/**
 * A condition of the model: one value of several, or with `tags` any set of them.
 * @typedef {{name: string, tags: boolean, values: string[]}} Condition
 */

/** @param {number} address */
const aligned = (address) => Math.ceil(address / ALIGNMENT) * ALIGNMENT;

export class Engine {
  /** wavestep_…, and the memory. @type {any} */
  #c;
  #memory;
  #model;
  #free;

  /**
   * @param {WebAssembly.Module} code
   * @param {Uint8Array} file the packed model
   * @throws {WavestepError} where it is damaged, of another model, or larger than the memory
   */
  constructor(code, file) {
    this.#c = new WebAssembly.Instance(code, {}).exports;
    this.#memory = /** @type {WebAssembly.Memory} */ (this.#c.memory);
    if (this.#c.wavestep_abi() !== ABI) {
      throw new WavestepError("engine and page are of different versions; export the site again");
    }
    this.#free = aligned(Number(this.#c.__heap_base.value));
    const at = this.#taken(file.length);
    new Uint8Array(this.#memory.buffer).set(file, at);
    const pointer = this.#taken(4);
    this.#checked(this.#c.wavestep_open(at, file.length, pointer));
    this.#model = new DataView(this.#memory.buffer).getUint32(pointer, true);

    const of = (/** @type {string} */ what) => this.#c[`wavestep_${what}`](this.#model);
    this.name = this.#text(of("name"));
    /** Hz. */
    this.rate = of("sample_rate");
    /** What the model sounds best at. */
    this.temperature = of("temperature");
    /** Numbers of a frame; 0: it takes none. */
    this.channels = of("frame_channels");
    /** Samples that a frame covers. */
    this.hop = of("frame_hop");
    /** @type {Condition[]} */
    this.conditions = Array.from({ length: of("conditions") }, (_, i) => this.#condition(i));
  }

  /** A voice of this model, in memory of its own. @throws {WavestepError} where there is no room */
  voice() {
    const frames = this.channels ? AHEAD : 0;
    const bytes = this.#c.wavestep_voice_bytes(this.#model, frames) >>> 0;
    if (!bytes) throw tooLarge(ADDRESSES);
    const voice = this.#taken(bytes);
    const audio = this.#taken(4 * LONGEST);
    const pushed = this.#taken(4 * frames * this.channels);
    this.#checked(this.#c.wavestep_init(voice, bytes, this.#model, frames));
    return new Voice(this, { c: this.#c, memory: this.#memory, voice, audio, pushed, frames });
  }

  /** @param {number} index @returns {Condition} */
  #condition(index) {
    const count = this.#c.wavestep_values(this.#model, index);
    return {
      name: this.#text(this.#c.wavestep_condition_name(this.#model, index)),
      tags: this.#c.wavestep_condition_is_tags(this.#model, index) === 1,
      values: Array.from({ length: count }, (_, value) =>
        this.#text(this.#c.wavestep_value_name(this.#model, index, value)),
      ),
    };
  }

  /** @param {number} status @returns {number} */
  #checked(status) {
    return checked(this.#c, this.#memory, status);
  }

  /** The text that begins at an address. @param {number} address */
  #text(address) {
    return textAt(this.#memory, address);
  }

  /** So many bytes more of the memory. @param {number} bytes */
  #taken(bytes) {
    const at = this.#free;
    this.#free = aligned(at + bytes);
    const missing = this.#free - this.#memory.buffer.byteLength;
    if (this.#free > ADDRESSES) throw tooLarge(this.#free);
    if (missing > 0) {
      try {
        this.#memory.grow(Math.ceil(missing / PAGE));
      } catch {
        throw tooLarge(this.#free);
      }
    }
    return at;
  }
}

export class Voice {
  #engine;
  #c;
  #memory;
  #at;
  /** Frames not pushed yet; none: none follow. @type {Float32Array | undefined} */
  #left;

  /**
   * @param {Engine} engine
   * @param {{c: any, memory: WebAssembly.Memory, voice: number, audio: number, pushed: number,
   *   frames: number}} parts the addresses of what it is made of
   */
  constructor(engine, { c, memory, ...at }) {
    this.#engine = engine;
    this.#c = c;
    this.#memory = memory;
    this.#at = at;
  }

  /**
   * Begin, or begin anew, from silence.
   * @param {bigint} seed of 64 bits
   * @param {number} temperature
   * @param {ReadonlyMap<string, readonly string[]>} chosen values of each condition; none: as in
   *   training where it was left out
   * @param {Float32Array} [frames] all that are to be heard, row by row
   * @throws {WavestepError}
   */
  begin(seed, temperature, chosen, frames) {
    this.#engine.conditions.forEach((condition, index) => {
      this.#checked(this.#c.wavestep_choose(this.#at.voice, index, -1));
      for (const value of chosen.get(condition.name) ?? []) {
        const number = condition.values.indexOf(value);
        if (number < 0) throw new WavestepError(`${condition.name} has no value ${value}`);
        this.#checked(this.#c.wavestep_choose(this.#at.voice, index, number));
      }
    });
    const bits = BigInt.asUintN(64, seed);
    this.#checked(this.#c.wavestep_begin(this.#at.voice, bits, 0, temperature));
    this.#left = frames;
  }

  /**
   * The next samples, from -1 to 1: so many, or fewer; none at the end of the frames.
   * @param {number} samples
   */
  read(samples) {
    const most = Math.min(samples, LONGEST);
    let pushed;
    let made;
    do {
      pushed = this.#push();
      made = this.#checked(this.#c.wavestep_read(this.#at.voice, this.#at.audio, most));
    } while (!made && pushed); // a block of some models is made of more frames than go at a time
    return new Float32Array(this.#memory.buffer, this.#at.audio, made).slice();
  }

  /** Push what there is room for; how many frames that was. */
  #push() {
    if (!this.#left) return 0;
    const { channels } = this.#engine;
    const count = Math.min(this.#left.length / channels, this.#at.frames);
    const room = new Float32Array(this.#memory.buffer, this.#at.pushed, count * channels);
    room.set(this.#left.subarray(0, count * channels));
    const taken = this.#checked(this.#c.wavestep_push(this.#at.voice, this.#at.pushed, count));
    this.#left = this.#left.subarray(taken * channels);
    if (!this.#left.length) {
      this.#checked(this.#c.wavestep_finish(this.#at.voice));
      this.#left = undefined;
    }
    return taken;
  }

  /** @param {number} status @returns {number} */
  #checked(status) {
    return checked(this.#c, this.#memory, status);
  }
}

/** @param {any} c @param {WebAssembly.Memory} memory @param {number} status */
function checked(c, memory, status) {
  if (status >= 0) return status;
  throw new WavestepError(textAt(memory, c.wavestep_text(status)));
}

/** @param {WebAssembly.Memory} memory @param {number} address */
function textAt(memory, address) {
  const bytes = new Uint8Array(memory.buffer, address);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}

/** @param {number} bytes */
function tooLarge(bytes) {
  const megabytes = Math.ceil(bytes / 2 ** 20);
  return new WavestepError(
    `this model needs ${megabytes} MB of memory, more than the browser gives to a page; close ` +
      "others, or take a smaller model",
  );
}
