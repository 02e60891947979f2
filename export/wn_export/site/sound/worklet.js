/**
 * What plays: blocks from the engine's Worker, on the thread of the sound.
 *
 *     Worker --blocks--> queue --> loudspeaker
 *            <--played--       --played, gaps--> page
 *
 * It begins when there is enough to bridge a late block, and after a gap it waits for as much again.
 * This file is one: it is not fetched as a module with others, but given to the browser as a text.
 */

const REPORT = 0.02; // seconds between reports

class Playing extends AudioWorkletProcessor {
  /** @param {{processorOptions: {rate: number, lead: number}}} options Hz of the blocks; samples
   * to begin with */
  constructor({ processorOptions: { rate, lead } }) {
    super();
    this.lead = lead;
    this.step = rate / sampleRate; // samples of a block for each of the loudspeaker's
    this.phase = 1; // of the way from one sample to the next; 1: at the next
    this.samples = [0, 0]; // those two
    /** @type {Float32Array[]} */
    this.blocks = [];
    this.offset = 0; // into the first
    this.queued = 0;
    this.played = 0;
    this.gaps = 0;
    this.waiting = true; // for enough to begin with
    this.ended = false; // no more blocks come
    this.stopped = false;
    this.reported = -Infinity;
    /** @type {MessagePort | undefined} */
    this.worker = undefined;
    this.port.onmessage = ({ data }) => {
      if (data.from) this.listen(data.from);
      else this.stopped = true;
    };
  }

  /** @param {MessagePort} worker */
  listen(worker) {
    this.worker = worker;
    worker.onmessage = ({ data }) => {
      if (data instanceof Float32Array) {
        this.blocks.push(data);
        this.queued += data.length;
      } else {
        this.ended = true;
      }
    };
  }

  /** @param {unknown} _inputs @param {Float32Array[][]} outputs */
  process(_inputs, [[channel, ...others]]) {
    if (this.stopped) return false;
    const before = this.played;
    this.fill(channel);
    others.forEach((other) => other.set(channel));
    const over = this.ended && !this.queued;
    const first = before === 0 && this.played > 0;
    if (first || over || currentTime >= this.reported + REPORT) this.report(over);
    return !over;
  }

  /** @param {Float32Array} channel */
  fill(channel) {
    if (this.waiting) {
      if (this.queued < this.lead && !(this.ended && this.queued)) return; // silence
      this.waiting = false;
    }
    for (let i = 0; i < channel.length; i++) {
      while (this.phase >= 1) {
        if (!this.queued) {
          this.gaps += this.ended ? 0 : 1;
          this.waiting = !this.ended;
          return;
        }
        this.samples = [this.samples[1], this.next()];
        this.phase -= 1;
      }
      const [one, other] = this.samples;
      channel[i] = one + (other - one) * this.phase;
      this.phase += this.step;
    }
  }

  next() {
    const value = this.blocks[0][this.offset++];
    this.queued--;
    this.played++;
    if (this.offset === this.blocks[0].length) {
      this.blocks.shift();
      this.offset = 0;
    }
    return value;
  }

  /** @param {boolean} over */
  report(over) {
    this.reported = currentTime;
    this.worker?.postMessage(this.played);
    this.port.postMessage({ played: this.played, gaps: this.gaps, over });
  }
}

registerProcessor("playing", Playing);
