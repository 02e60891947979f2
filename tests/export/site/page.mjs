/* The page in a real browser: {browser, url, visits} on stdin, what was seen of each on stdout.
 *
 * A visit is a page of its own, `at` a folder of `url`: steps are made on it one after the other.
 * `before` runs before it, `replace` changes files on their way, `throttle` slows its thread. A step
 * that is to `stopAt` a figure stops the sound when that is above 0, however fast this machine is.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const { chromium } = createRequire(join(tmpdir(), "from-here.js"))("playwright-core");
const { browser: program, url, visits } = JSON.parse(readFileSync(0, "utf8"));
const READY = 120_000;

const browser = await chromium.launch({
  executablePath: program,
  args: [
    ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
    ...["--disable-background-networking", "--disable-component-update"],
  ],
});

/** What the page shows. */
const shown = (page) =>
  page.evaluate(() => {
    const figures = ["speed", "first", "gaps", "length"];
    const ids = [...figures, "problem", "model", "play-label", "text", "file"];
    const of = (id) => document.getElementById(id);
    const found = ids.map((id) => [id, of(id).hidden ? "" : (of(id).value ?? of(id).textContent)]);
    const wide = document.documentElement.scrollWidth;
    return { ...Object.fromEntries(found), ready: !of("ready").disabled, wide };
  });

const opened = (page) =>
  page.waitForFunction(
    () => !document.getElementById("ready").disabled || !document.getElementById("problem").hidden,
    null,
    { timeout: READY },
  );

const label = (page, text) =>
  page.waitForFunction(
    (wanted) => document.getElementById("play-label").textContent === wanted,
    text,
    { timeout: READY },
  );

const above = (page, figure) =>
  page.waitForFunction((id) => parseFloat(document.getElementById(id).textContent) > 0, figure, {
    timeout: READY,
  });

/** What was seen after each step of a visit, what the console said, and what was asked for. */
async function visit({
  at = "",
  before,
  replace = [],
  steps = [],
  width = 900,
  offline,
  throttle,
}) {
  const context = await browser.newContext({ viewport: { width, height: 700 } });
  const page = await context.newPage();
  const said = [];
  const asked = [];
  page.on("console", (message) =>
    said.push(`${message.type()}: ${message.text()} ${message.location().url}`),
  );
  page.on("pageerror", (error) => said.push(`error: ${error}`));
  context.on("request", (request) => asked.push(request.url()));
  if (before) await page.addInitScript(before);
  if (throttle) {
    const session = await context.newCDPSession(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate: throttle });
  }
  for (const { name, from, to, bytes } of replace) {
    await context.route(`**/${name}`, async (route) => {
      const response = await route.fetch();
      const body = await response.body();
      if (bytes !== undefined) return route.fulfill({ body: body.subarray(0, bytes) });
      const text = body.toString("utf8");
      if (!text.includes(from)) throw new Error(`${name} has no ${from}`);
      return route.fulfill({ response, body: text.replace(from, to) });
    });
  }
  await page.goto(new URL(at, url).href);
  await opened(page);
  if (offline) {
    await page.waitForLoadState("networkidle"); // of the icon, which the browser asks for last
    await context.setOffline(true);
  }
  const seen = [];
  for (const { fill = {}, choose = {}, check = [], file, press, play, stopAt, save } of steps) {
    for (const [id, value] of Object.entries(fill)) await page.fill(`#${id}`, value);
    for (const [id, value] of Object.entries(choose)) {
      await page.selectOption(`#${id}`, { label: value });
    }
    for (const tag of check) await page.getByLabel(tag, { exact: true }).check();
    if (file) {
      const buffer = Buffer.from(file, "base64");
      await page.setInputFiles("#file", { name: "a.npy", mimeType: "", buffer });
    }
    if (press) await page.keyboard.press(press);
    if (play) await page.click("#play");
    if (stopAt) {
      await above(page, stopAt);
      await page.keyboard.press("Escape");
    }
    await label(page, "Play");
    const found = await shown(page);
    if (save) {
      const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
      found.wav = readFileSync(await download.path()).toString("base64");
      found.name = download.suggestedFilename();
    }
    seen.push(found);
  }
  seen.push(await shown(page));
  await context.close();
  return { seen, said, asked };
}

try {
  const answers = [];
  for (const each of visits) answers.push(await visit(each));
  console.log(JSON.stringify(answers));
} finally {
  await browser.close();
}
