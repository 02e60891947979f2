// @ts-check
/** The loudspeaker: what a Worker makes, played by an AudioWorklet. */

import { WavestepError } from "../speech/errors.js";

const LEAD = 0.1; // seconds that are there before it begins

/** @typedef {{played: number, gaps: number, over: boolean}} Report samples; times it ran dry */

export class Player {
  #rate;
  #code;
  /** @type {Promise<AudioContext> | undefined} */
  #context;
  /** @type {AudioWorkletNode | undefined} */
  #node;
  #turn = 0; // of playing: one more with every beginning and end
  /** Milliseconds from the worklet to the ear, as far as the browser knows them. */
  latency = 0;

  /**
   * @param {number} rate Hz
   * @param {string} code the text of worklet.js
   */
  constructor(rate, code) {
    this.#rate = rate;
    this.#code = code;
  }

  /** Make ready, which browsers allow when the user has touched the page. */
  prepare() {
    this.#context ??= this.#opened().catch((error) => {
      this.#context = undefined; // the next time it may be otherwise
      throw error;
    });
    return this.#context;
  }

  /**
   * Begin to play; what was playing ends.
   * @param {(report: Report) => void} told of how far it is
   * @returns {{to: MessagePort, begun: Promise<void>}} where blocks go, at once, and after the last
   *   anything else; it tells how many samples have been played
   */
  play(told) {
    this.stop();
    const { port1, port2 } = new MessageChannel();
    return { to: port1, begun: this.#begin(port2, told) };
  }

  /** @param {MessagePort} from @param {(report: Report) => void} told */
  async #begin(from, told) {
    const turn = this.#turn;
    const context = await this.prepare();
    await context.resume();
    if (turn !== this.#turn) return;
    this.latency = 1000 * Math.max(context.baseLatency, context.outputLatency || 0);
    const lead = Math.round(LEAD * this.#rate);
    const options = { numberOfInputs: 0, processorOptions: { rate: this.#rate, lead } };
    const node = new AudioWorkletNode(context, "playing", options);
    node.port.postMessage({ from }, [from]);
    node.port.onmessage = ({ data }) => {
      if (this.#node !== node) return;
      told(data);
      if (data.over) this.stop();
    };
    node.connect(context.destination);
    this.#node = node;
  }

  stop() {
    this.#turn++;
    this.#node?.port.postMessage({});
    this.#node?.disconnect();
    this.#node = undefined;
  }

  async #opened() {
    if (!isSecureContext) {
      throw new WavestepError("browsers play this only from https:// or from localhost");
    }
    const context = contextAt(this.#rate);
    const url = URL.createObjectURL(new Blob([this.#code], { type: "text/javascript" }));
    await context.audioWorklet.addModule(url);
    URL.revokeObjectURL(url);
    return context;
  }
}

/** At the model's own rate where the browser has it: then the samples are played as they are. */
/** @param {number} rate */
function contextAt(rate) {
  try {
    return new AudioContext({ sampleRate: rate, latencyHint: "interactive" });
  } catch {
    return new AudioContext({ latencyHint: "interactive" });
  }
}
