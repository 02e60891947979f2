// @ts-check
/** The page: the form, the Worker that makes the sound, the loudspeaker, and what is shown of it. */

import { fastestBuild, titleOf } from "./engine/builds.js";
import { answered } from "./files/download.js";
import { wav } from "./files/wav.js";
import { Player } from "./sound/player.js";
import { Recording } from "./sound/recording.js";
import { WavestepError } from "./speech/errors.js";
import { Figures } from "./view/figures.js";
import { Form } from "./view/form.js";
import { Strip } from "./view/strip.js";

/** @param {string} id */
const byId = (id) => /** @type {any} */ (document.getElementById(id));

const form = new Form();
const figures = new Figures();
const strip = new Strip(byId("strip"));
/** @type {Worker} */
let worker;
/** @type {Player} */
let player;
/** @type {import("./view/form.js").Model} */
let model;
/** @type {Recording | undefined} */
let recording;
let playing = 0; // a number of its own for what plays; 0: nothing
let count = 0;

strip.onresize = () => {
  byId("oldest").textContent = `${strip.seconds.toFixed(0)} s ago`;
};

/** Tell what is wrong, in words where it is foreseen. @param {unknown} error */
function tell(error) {
  const foreseen = error instanceof WavestepError;
  if (!foreseen) console.error(error);
  show(foreseen ? error.message : `the page failed: ${error}`);
}

/** @param {string} message */
function show(message) {
  byId("problem").textContent = message;
  byId("problem").hidden = !message;
}

/** @param {boolean} on */
function showPlaying(on) {
  byId("play").classList.toggle("playing", on);
  byId("play-label").textContent = on ? "Stop" : "Play";
  byId("state").textContent = on ? "Playing" : "Stopped";
}

async function start() {
  const build = fastestBuild();
  const response = await answered(new URL("sound/worklet.js", location.href));
  const code = await response.text();
  worker = new Worker("engine/worker.js", { type: "module" });
  worker.onerror = () => {
    failed(
      "a part of this page cannot be run: its server is gone, it is not whole, or this browser too old",
    );
  };
  worker.onmessage = ({ data }) => {
    if (data.arrived !== undefined) byId("progress").value = data.arrived;
    if (data.model) opened(data.model, build, code);
    if (data.error !== undefined && (data.number ?? playing) === playing) failed(data.error);
    if (data.number !== playing || !data.made) return;
    figures.made(data.made, data.busy, model.rate, Boolean(data.ended));
    if (data.block) recording?.append(data.block);
    byId("save").disabled = false;
  };
  worker.postMessage({ open: { build, site: new URL("model/site.json", location.href).href } });
}

/**
 * @param {import("./view/form.js").Model} found
 * @param {import("./engine/builds.js").Build} build
 * @param {string} code
 */
function opened(found, build, code) {
  model = found;
  player = new Player(model.rate, code);
  form.show(model);
  const kilohertz = `${model.rate / 1000} kHz`;
  byId("highest").textContent = `${model.rate / 2000} kHz`;
  byId("model").textContent =
    `${model.name} · ${model.precision} · ${kilohertz} · ${titleOf(build)}`;
  document.title = `${model.name} – wavestep`;
}

/** @param {string} message */
function failed(message) {
  byId("loading").hidden = true;
  stop();
  show(message);
}

async function play() {
  const clicked = performance.now();
  show("");
  const wish = form.wish();
  const number = ++count;
  playing = number;
  recording = new Recording(model.rate);
  strip.show(recording);
  figures.begin();
  byId("save").disabled = true;
  showPlaying(true);
  let heard = false;
  const { to, begun } = player.play((report) => {
    if (playing !== number) return;
    if (!heard && report.played) {
      heard = true;
      figures.first(performance.now() - clicked + player.latency);
    }
    figures.played(report.gaps);
    strip.advance(report.played);
    if (report.over) stop();
  });
  worker.postMessage({ play: { ...wish, to, number } }, [to]);
  await begun;
}

function stop() {
  playing = 0;
  player?.stop();
  worker.postMessage({ stop: true });
  showPlaying(false);
}

function save() {
  if (!recording) return;
  const file = new Blob([wav(recording.all(), recording.rate)], { type: "audio/wav" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `${model.name}.wav`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

byId("controls").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  if (playing) stop();
  else play().catch((error) => (stop(), tell(error)));
});
byId("save").addEventListener("click", save);
byId("file").addEventListener("change", () => {
  show("");
  form.take(byId("file").files[0]).catch(tell);
});
addEventListener("keydown", (event) => {
  const inText = event.target === byId("text");
  if (event.key === "Escape" && playing) stop();
  if (event.key === "Enter" && inText && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    byId("controls").requestSubmit();
  }
});
// Browsers let a page sound once it has been touched; what is made ready then is not waited for.
for (const touched of ["pointerdown", "keydown"]) {
  addEventListener(touched, () => void player?.prepare().catch(() => {}), { once: true });
}

/** Without what is wrong now there will be no more loading. @param {unknown} error */
function gaveUp(error) {
  byId("loading").hidden = true;
  tell(error);
}

addEventListener("error", ({ error }) => gaveUp(error));
start().catch(gaveUp);
