// @ts-check
/** How it goes, in numbers. */

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const SOON = 250; // milliseconds between what is shown

export class Figures {
  #shown = 0;

  /** Of a new sound. */
  begin() {
    this.#shown = 0;
    byId("speed").textContent = byId("first").textContent = "…";
    byId("length").textContent = "0.0 s";
    this.played(0);
  }

  /**
   * @param {number} made samples
   * @param {number} busy milliseconds of work
   * @param {number} rate Hz
   * @param {boolean} last whether it is all
   */
  made(made, busy, rate, last) {
    const now = performance.now();
    if (!last && now < this.#shown + SOON) return;
    this.#shown = now;
    const seconds = made / rate;
    byId("speed").textContent = `${((1000 * seconds) / busy).toFixed(1)}×`;
    byId("length").textContent = `${seconds.toFixed(1)} s`;
    byId("speed").classList.toggle("bad", 1000 * seconds < busy);
  }

  /** @param {number} milliseconds from the click to the sound */
  first(milliseconds) {
    byId("first").textContent = `${Math.round(milliseconds)} ms`;
  }

  /** @param {number} gaps times that the sound ran dry */
  played(gaps) {
    byId("gaps").textContent = String(gaps);
    byId("gaps").classList.toggle("bad", gaps > 0);
  }
}
