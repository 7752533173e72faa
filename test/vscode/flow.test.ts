/** @file A person's way through the packaged extension, in a browser: sample, fix, completion, run, reload, stop, compare. */
import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  globSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { packageExtension } from "../../src/build/editor/package-extension.ts";
import { short } from "../../media/charts/numbers.ts";
import { isRecord, parseJson } from "../../src/shared/wire.ts";
import {
  activeText,
  chooseFile,
  chooseRow,
  command,
  commandOn,
  openFile,
  panelPage,
  replaceText,
  rowsOf,
  runRow,
  showViews,
  takeAction,
  takeEntry,
} from "./support/drive.ts";
import { contentsOf } from "./support/contents.ts";
import { lookingSteps } from "./looking-steps.ts";
import type { Editor } from "./support/editor.ts";
import { openEditor } from "./support/editor.ts";
import { shotOf } from "./support/shots.ts";
import { commandLine, entriesOf, entryOf } from "./support/way.ts";
import { themeSteps } from "./theme-steps.ts";

describe("the packaged extension", () => {
  const workspace = mkdtempSync(join(tmpdir(), "spectune-flow-"));
  const output = mkdtempSync(join(tmpdir(), "spectune-vsix-"));
  const sample = join(workspace, "spectune-sample");
  let editor: Editor;
  let page: Page;
  let vsix: string;
  const errors: string[] = [];

  before(async () => {
    vsix = await packageExtension(output);
    editor = await openEditor({ folder: workspace, vsix });
    page = editor.page;
    page.on("pageerror", ({ message }) => errors.push(message));
  });
  after(async () => {
    await editor.close();
    for (const folder of [workspace, output]) rmSync(folder, { recursive: true, force: true });
  });

  const shot = shotOf(() => page);

  /** A step of the way; where it fails, what was to be seen is kept. */
  function step(name: string, work: () => Promise<void>): void {
    void it(name, { timeout: 480_000 }, async () => {
      try {
        await work();
      } catch (error) {
        await shot(`failed-${name.replaceAll(/\W+/g, "-")}`);
        process.stderr.write(`${name}: the extension said\n${outputOf(editor.server.scratch)}\n`);
        throw error;
      }
    });
  }

  /** Where the sample's runs lie. */
  function runsOf(): string {
    const beside = join(sample, ".spectune/runs");
    return existsSync(beside) ? beside : join(workspace, ".spectune/runs");
  }

  it("weighs less than 35 MB, and holds what it runs and nothing else", () => {
    assert(statSync(vsix).size < 35e6);
    const paths = contentsOf(vsix).map(({ path }) => path);
    const where = (pattern: RegExp): readonly string[] =>
      paths.filter((path) => pattern.test(path));
    const runtime = "extension/node_modules/onnxruntime-node/bin/";
    const isNative = /\.(?:node|so(?:\.\d+)*|dylib|dll|exe)$/;
    const natives = where(isNative);
    assert(natives.length > 1);
    const own = new RegExp(`^${runtime}napi-v\\d+/${process.platform}/${process.arch}/`);
    assert.deepEqual(
      natives.filter((path) => !own.test(path)),
      [],
    );
    assert.deepEqual(
      where(/^extension\/(?:src|test|server|kernels|\.|tsconfig|eslint)|\.(?:ts|map|tsbuildinfo)$/),
      [],
    );
    const packages = new Set(where(/\/node_modules\//).map((path) => path.split("/")[2]));
    assert.deepEqual([...packages].toSorted(), ["onnxruntime-common", "onnxruntime-node"]);
    for (const needed of [
      "package.json",
      "package.nls.de.json",
      "readme.md",
      "changelog.md",
      "LICENSE.txt",
      "l10n/bundle.l10n.de.json",
      "dist/extension/main.mjs",
      "dist/cli/spectune.mjs",
      "dist/cli/workbench.mjs",
      "dist/panels/quantize.js",
      "dist/licenses.txt",
      "dist/kernels/linalg.wasm",
      "media/icons/spectune.png",
      "media/sample/lora.peft.yaml",
      "media/schemas/adapter-config.schema.json",
    ])
      assert(paths.includes(`extension/${needed}`), needed);
  });

  step("creates the sample", async () => {
    await showViews(page);
    await shot("empty");
    await command(page, "Create Sample Workspace");
    await chooseRow(page, "In the open folder");
    await page.locator(".tab.active", { hasText: "lora.peft.yaml" }).waitFor({ timeout: 60_000 });
    assert(existsSync(join(sample, "base/model.safetensors")));
  });

  step("shows lenses and numbers beside the lines", async () => {
    await page.locator(".codelens-decoration", { hasText: "Plan" }).waitFor({ timeout: 60_000 });
    await page.locator(".view-line", { hasText: /trainable\s62,080/ }).waitFor({ timeout: 60_000 });
    await shot("experiment");
  });

  step("underlines a wrong field and mends it", async () => {
    await replaceText(page, "target_modules: all-linear", "target_modulez: all-linear");
    const squiggle = page.locator(".squiggly-error, .squiggly-warning").first();
    await squiggle.waitFor({ timeout: 60_000 });
    await shot("wrong");
    await takeAction(page, "target_modules");
    await page.locator(".view-line", { hasText: /target_modules:/ }).waitFor();
    assert.match(await activeText(page), /target_modules:/);
  });

  step("completes a method with its paragraph", async () => {
    await replaceText(page, "type: lora", "type: ");
    await page.keyboard.press("Control+Space");
    const row = page.locator(".suggest-widget .monaco-list-row", { hasText: "lora" }).first();
    await row.waitFor({ timeout: 60_000 });
    await shot("completion");
    await row.click();
    await page.locator(".view-line", { hasText: /type:\slora/ }).waitFor();
    await page.keyboard.press("Control+s");
  });

  step("converts a peft configuration that is pasted", async () => {
    writeFileSync(join(sample, "pasted.peft.yaml"), "");
    await openFile(page, "pasted.peft.yaml");
    await page.locator(".tab.active", { hasText: "pasted.peft.yaml" }).waitFor();
    await page.locator(".editor-instance .view-lines").first().click();
    await page.keyboard.insertText(
      JSON.stringify({
        peft_type: "LORA",
        base_model_name_or_path: "./base",
        r: 16,
        lora_alpha: 32,
        target_modules: ["q_proj", "v_proj"],
        use_rslora: true,
      }),
    );
    await page.locator(".squiggly-error, .squiggly-warning").first().waitFor({ timeout: 60_000 });
    await takeAction(page, "Convert to an experiment");
    await page.locator(".view-line", { hasText: /alpha:\s32/ }).waitFor({ timeout: 60_000 });
    assert.match(await activeText(page), /model: .*base\n(?:.*\n)*method:/);
    await shot("converted");
    await page.keyboard.press("Control+s");
    await page.locator('.tab[data-resource-name="lora.peft.yaml"]').click();
    await page.locator(".tab.active", { hasText: /^lora\.peft/ }).waitFor();
  });

  step("trains, with a chart that moves", async () => {
    await page.locator(".codelens-decoration a", { hasText: "Run" }).first().click();
    const status = page.locator(".statusbar-item", { hasText: /lora \d+\/188/ });
    await status.waitFor({ timeout: 60_000 });
    const live = await panelPage(page, "live");
    await live.getByText(/step [1-9]\d* of 188/).waitFor({ timeout: 90_000 });
    await shot("training");
  });

  step("goes on while the window is loaded anew, and is found again", async () => {
    await page.reload();
    await page.waitForSelector(".monaco-workbench .activitybar");
    await page
      .locator(".statusbar-item", { hasText: /lora [1-9]\d*\/188/ })
      .waitFor({ timeout: 60_000 });
    await showViews(page);
    await shot("reloaded");
  });

  step("stops after its step, and goes on to the end", async () => {
    await command(page, "Stop Run");
    await chooseRow(page, "lora");
    await runRow(page, /stopped/).waitFor({ timeout: 60_000 });
    await shot("stopped");
    await command(page, "Resume Run");
    await chooseRow(page, "lora");
    await runRow(page, /test\.exact_match/).waitFor({ timeout: 200_000 });
    // Measurements of three data sets leave the curves their place.
    const live = await panelPage(page, "live");
    await live.locator("summary", { hasText: /Further measurements/ }).waitFor();
    await shot("finished");
  });

  step("is as good as the command line says", async () => {
    const row = (await runRow(page, /test\.exact_match/).textContent()) ?? "";
    const score = Number(/test\.exact_match ([\d.]+)/.exec(row)?.[1]);
    const folder = runsOf();
    const events = readFileSync(join(folder, onlyRun(folder), "events.ndjson"), "utf8");
    const [, said] = [...events.matchAll(/"exact_match":([\d.]+)/g)].at(-1) ?? [];
    assert.equal(score, Number(Number(said).toPrecision(4)));
  });

  step("compares two runs", async () => {
    await replaceText(page, "r: 4", "r: 2");
    await page.keyboard.press("Control+s");
    await page.locator(".codelens-decoration a", { hasText: "Run" }).first().click();
    await page
      .locator(".statusbar-item", { hasText: /lora [1-9]\d*\/188/ })
      .waitFor({ timeout: 90_000 });
    await command(page, "Stop Run");
    await chooseRow(page, "r=2");
    await runRow(page, /r=2.*stopped/).waitFor({ timeout: 60_000 });
    await command(page, "Compare Runs");
    await chooseRow(page, "r=2");
    await chooseRow(page, "r=4");
    await page.keyboard.press("Enter");
    const panel = await panelPage(page, "compare");
    await panel.getByText("method.r").first().waitFor({ timeout: 60_000 });
    await shot("compare");
  });

  step("counts intruders of an adapter from elsewhere, as the command line does", async () => {
    const elsewhere = join(workspace, "elsewhere");
    const runs = runsOf();
    const finished = readdirSync(runs).find((run) => existsSync(join(runs, run, "adapter")));
    cpSync(join(runs, finished ?? "", "adapter"), elsewhere, { recursive: true });
    const configFile = join(elsewhere, "adapter_config.json");
    const config: unknown = JSON.parse(readFileSync(configFile, "utf8"));
    assert(isRecord(config));
    const base = join(sample, "base");
    writeFileSync(configFile, JSON.stringify({ ...config, base_model_name_or_path: base }));
    await commandOn(page, "Count Intruder Dimensions", "elsewhere");
    const panel = await panelPage(page, "intruders");
    await panel.locator("button", { hasText: "Count" }).first().click();
    const said = panel.getByText(/^\d+ intruders/).first();
    await said.waitFor({ timeout: 90_000 });
    await shot("intruders");
    const shown = Number.parseInt((await said.textContent()) ?? "", 10);
    const args = ["intruders", base, "--adapter", elsewhere];
    const counted = commandLine(args, workspace);
    assert(isRecord(counted));
    assert.equal(shown, counted["total"]);
  });

  step("analyzes it, with the command line's numbers", async () => {
    await commandOn(page, "Analyze Spectra", "elsewhere");
    const panel = await panelPage(page, "spectra");
    await panel.locator("button", { hasText: "Compute" }).first().click();
    const row = panel.locator("tr", { hasText: "Stable rank" }).first();
    await row.waitFor({ timeout: 120_000 });
    await shot("spectra");
    const shown = await row.locator("td").allTextContents();
    const args = [join(sample, "base"), "--adapter", join(workspace, "elsewhere")];
    const document = commandLine(["spectra", ...args], workspace);
    const [matrix] = entriesOf(entriesOf(document, "sides")[0], "matrices");
    const said = [
      entryOf(matrix, "base"),
      entryOf(matrix, "tuned"),
      entryOf(entryOf(matrix, "update"), "spectrum"),
    ].map((spectrum) => short(Number(spectrum["stableRank"])));
    assert.deepEqual(shown, said);
  });

  step("compares quantizers", async () => {
    await commandOn(page, "Quantize Model", "base");
    const panel = await panelPage(page, "quantize");
    const [list, texts] = [panel.locator("input[list]"), panel.locator("input[type=number]")];
    await list.fill("nf4,rtn");
    await texts.fill("2");
    await panel.locator("button", { hasText: "Compare" }).first().click();
    await chooseFile(page, join(sample, "data"), "train.jsonl");
    const row = panel.locator("tr", { has: panel.locator("th", { hasText: "nf4" }) }).first();
    await row.waitFor({ timeout: 200_000 });
    await shot("quantize");
    const shown = await row.locator("td").allTextContents();
    const [written] = globSync("**/.spectune/analysis/*/quantize-*.json", { cwd: workspace });
    const document = parseJson(readFileSync(join(workspace, written ?? ""), "utf8"));
    assert(isRecord(document) && Array.isArray(document["rows"]));
    const said = document["rows"].filter(isRecord).find(({ label }) => label === "nf4");
    assert.equal(shown[0], Number(said?.["bitsPerWeight"]).toFixed(2));
    assert.equal(shown[2], short(Number(said?.["weightError"])));
    const map = await rowsOf(panel, "Error of every matrix");
    const errors = entriesOf(document, "matrices").map(({ errors: its }) =>
      isRecord(its) && isRecord(its["nf4"]) ? short(Number(its["nf4"]["output"])) : "",
    );
    assert.deepEqual(map.flatMap((cells) => cells.slice(1)).toSorted(), errors.toSorted());
  });

  step("opens weights as a table", async () => {
    await command(page, "Look for Runs and Models Again");
    const header = page.locator(".pane-header", { hasText: "Models & Adapters" });
    if ((await header.getAttribute("aria-expanded")) !== "true") await header.click();
    const row = page
      .locator(".pane", { has: header })
      .locator(".monaco-list-row", { hasText: /^\s*base/ });
    await row.first().waitFor({ timeout: 60_000 });
    await takeEntry(page, row.first(), "Show Tensors");
    const table = await panelPage(page, "tensors");
    await table.getByText("model.embed_tokens.weight").first().waitFor({ timeout: 60_000 });
    await table.locator("button", { hasText: "model.embed_tokens.weight" }).first().click();
    const shown = await rowsOf(table, "model.embed_tokens.weight");
    const counted = shown.reduce((sum, [, , count]) => sum + Number(count), 0);
    assert.equal(counted, elementsOf(join(sample, "base/model.safetensors"), /embed_tokens/));
    await shot("tensors");
  });

  const way = { page: () => page, workspace, sample, shot, step };
  lookingSteps(way);
  themeSteps(way);

  it("threw nothing in the page", () => {
    const ours = errors.filter((message) => /spectune|panel/i.test(message));
    assert.deepEqual(ours, []);
  });
});

/** What the extension wrote to its output channel. */
function outputOf(scratch: string): string {
  const logs = join(scratch, "data/logs");
  return readdirSync(logs, { recursive: true, encoding: "utf8" })
    .filter((file) => /Spectune[^/]*\.log$/.test(file))
    .map((file) => readFileSync(join(logs, file), "utf8"))
    .join("");
}

/** Of a tensor, by the header of its file. */
function elementsOf(file: string, name: RegExp): number {
  const bytes = readFileSync(file);
  const header = parseJson(bytes.toString("utf8", 8, 8 + Number(bytes.readBigUInt64LE(0))));
  assert(isRecord(header));
  const [, tensor] = Object.entries(header).find(([key]) => name.test(key)) ?? [];
  assert(isRecord(tensor) && Array.isArray(tensor["shape"]));
  return tensor["shape"].reduce((product: number, size) => product * Number(size), 1);
}

function onlyRun(folder: string): string {
  const [name, ...others] = readdirSync(folder);
  assert(name !== undefined && others.length === 0);
  return name;
}
