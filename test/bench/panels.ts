/**
 * @file How quickly web views draw in a real Chromium: curves of 100,000 steps while steps come in and while they are
 * zoomed, and a heat map of 1024² cells while its values change, the pointer moves over it and it is zoomed.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { invariant } from "../../src/shared/errors.ts";
import { isRecord } from "../../src/shared/wire.ts";
import { launchBrowser } from "../vscode/support/chromium.ts";

const root = join(import.meta.dirname, "../..");
const points = 100_000;
const frames = 120;
/** Of the heat map. */
const side = 1024;

/** Milliseconds. */
interface Times {
  readonly median: number;
  readonly p95: number;
  readonly most: number;
}

export async function panels(): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), "spectune-bench-panels-"));
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage({ viewport: { width: 900, height: 1000 }, locale: "en-US" });
    await page.goto(pathToFileURL(await livePage(folder)).href);
    const result: unknown = await page.evaluate(measuring);
    invariant(isRecord(result), "the page measured nothing");
    await page.goto(pathToFileURL(await heatMapPage(folder)).href);
    const map: unknown = await page.evaluate(measuringMap);
    invariant(isRecord(map), "the page measured nothing");
    return {
      points,
      runs: 3,
      firstDraw: result["firstDraw"],
      following: timesOf(result["following"]),
      zooming: timesOf(result["zooming"]),
      heatMap: {
        cells: side * side,
        changing: timesOf(map["changing"]),
        pointing: timesOf(map["pointing"]),
        zooming: timesOf(map["zooming"]),
      },
    };
  } finally {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The live view as it is shipped, with a host in the page that gives it three long runs. */
async function livePage(folder: string): Promise<string> {
  await build({
    absWorkingDir: root,
    entryPoints: { live: "media/panels/live/main.ts" },
    outdir: folder,
    bundle: true,
    minify: true,
    format: "iife",
    platform: "browser",
    logLevel: "error",
  });
  const script = await readFile(join(folder, "live.js"), "utf8");
  const style = await readFile(join(folder, "live.css"), "utf8");
  const file = join(folder, "live.html");
  await writeFile(
    file,
    `<!DOCTYPE html><meta charset="utf-8"><style>${style}</style><body class="vscode-dark">
<script type="application/json" id="boot">{"panel":"live","subject":{"runs":[]},"language":"en","strings":{}}</script>
<script>${host}</script><script>${script.replaceAll("</script>", "<\\/script>")}</script>`,
  );
  return file;
}

/** In the page: the host that the view asks. */
const host = `
const folders = ["a", "b", "c"];
const column = (from, count, value) => Float64Array.from({ length: count }, (_, i) => value(from + i));
const chunkOf = (from, count) => ({ from, columns: {
  step: column(from, count, (i) => i + 1), epoch: column(from, count, (i) => i / ${points}),
  loss: column(from, count, (i) => 3 * Math.exp(-i / 20000) + Math.sin(i * 12.9898) * 0.2 + 0.5),
  lr: column(from, count, (i) => 1e-3 * (1 - i / ${points + 10 * frames})), gradNorm: column(from, count, (i) => 1 + Math.sin(i / 7)),
  tokensPerSecond: column(from, count, () => 2000), seconds: column(from, count, () => 0.1), memoryBytes: column(from, count, () => 5e8) } });
const head = (folder) => ({ folder, id: folder, name: folder, state: "running", attempt: 1, step: ${points}, steps: 2e5, metrics: {}, config: {}, has: [] });
const view = { shown: folders.map((folder) => ({ head: head(folder), label: folder, curve: chunkOf(0, ${points}), evaluations: [] })), others: [] };
let isReady;
const ready = new Promise((resolve) => { isReady = resolve; });
const started = performance.now();
window.acquireVsCodeApi = () => ({ getState() {}, setState() {}, postMessage(message) {
  if (message.ask === "ready") isReady(performance.now() - started);
  window.postMessage({ id: message.id, result: message.ask === "load" ? view : null }, "*");
} });`;

/** In the page: the time that the page's thread is busy for each frame, by doing what is measured in it. */
const measuring = `(async () => {
  const firstDraw = await ready;
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const busy = async (act) => {
    const times = [];
    for (let i = 0; i < ${frames}; i += 1) {
      await frame();
      const start = performance.now();
      act(i);
      await frame();
      await new Promise((resolve) => setTimeout(resolve));
      times.push(performance.now() - start);
    }
    return times;
  };
  const following = await busy((i) => {
    for (const run of folders)
      window.postMessage({ event: "curve", payload: { run, chunk: chunkOf(${points} + 10 * i, 10) } }, "*");
  });
  const over = document.querySelector(".u-over");
  const box = over.getBoundingClientRect();
  const at = (type, share) => (type === "mouseup" ? document : over).dispatchEvent(new MouseEvent(type, { bubbles: true, button: 0, clientX: box.left + share * box.width, clientY: box.top + 20 }));
  const zooming = await busy(() => { at("mousemove", 0.2); at("mousedown", 0.2); at("mousemove", 0.9); at("mouseup", 0.9); });
  return { firstDraw, following, zooming };
})()`;

/** The heat map alone, as panels show it. */
async function heatMapPage(folder: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents:
        'import { heatMap } from "./media/charts/heat-map.ts"; globalThis.heatMap = heatMap;',
      resolveDir: root,
    },
    write: false,
    bundle: true,
    minify: true,
    format: "iife",
    platform: "browser",
    logLevel: "error",
  });
  const file = join(folder, "heat-map.html");
  const script = (outputFiles[0]?.text ?? "").replaceAll("</script>", "<\\/script>");
  await writeFile(
    file,
    `<!DOCTYPE html><meta charset="utf-8"><body class="vscode-dark"><script>${script}</script>`,
  );
  return file;
}

/** In the page: the time that its thread is busy for each frame. */
const measuringMap = `(async () => {
  const map = heatMap({ title: "map", rowAxis: "row", columnAxis: "column" });
  document.body.append(map.element);
  const names = Array.from({ length: ${side} }, (_, i) => String(i + 1));
  const values = [0, 1, 2].map((phase) => Float32Array.from({ length: ${side * side} }, (_, i) => Math.abs(Math.sin(i * 12.9898 + phase))));
  const set = (i) => map.set({ rows: names, columns: names, values: values[i % 3], scale: "value", low: 0, high: 1 });
  set(0);
  const canvas = map.element.querySelector("canvas");
  const box = canvas.getBoundingClientRect();
  const at = (share) => ({ bubbles: true, cancelable: true, clientX: box.left + 130 + share * (box.width - 140), clientY: box.top + 20 + share * (box.height - 60) });
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const busy = async (act) => {
    const times = [];
    for (let i = 0; i < ${frames}; i += 1) {
      await frame();
      const start = performance.now();
      act(i);
      await frame();
      await new Promise((resolve) => setTimeout(resolve));
      times.push(performance.now() - start);
    }
    return times;
  };
  const changing = await busy(set);
  const pointing = await busy((i) => canvas.dispatchEvent(new MouseEvent("mousemove", at(i / ${frames}))));
  const zooming = await busy((i) => canvas.dispatchEvent(new WheelEvent("wheel", { ...at(0.4), deltaY: Math.floor(i / 10) % 2 === 0 ? -1 : 1 })));
  return { changing, pointing, zooming };
})()`;

function timesOf(value: unknown): Times {
  invariant(Array.isArray(value), "the page measured no times");
  const sorted = value.map(Number).toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
  return { median: at(0.5), p95: at(0.95), most: at(1) };
}
