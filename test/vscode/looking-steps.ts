/** @file Looking, as a person does: a sweep and its intruders, one run's vectors, λ before and after, data, weights, themes. */
import assert from "node:assert/strict";
import { cpSync, existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Frame, Page } from "playwright-core";
import { short } from "../../media/charts/numbers.ts";
import { isRecord, parseJson } from "../../src/shared/wire.ts";
import {
  acceptPath,
  chooseRow,
  closeEditors,
  command,
  commandOn,
  figureOf,
  openFile,
  panelPage,
  rowsOf,
  runRow,
  showViews,
  takeEntry,
} from "./support/drive.ts";
import type { Way } from "./support/way.ts";
import { commandLine, entriesOf, entryOf } from "./support/way.ts";

/** Four runs of eight steps, at a rate that leaves intruders. */
const sweepFile = `version: 1
model: ./base
data: { train: ./data/few.jsonl, eval: ./data/few-eval.jsonl, max_length: 128 }
method: { type: lora, r: 2, alpha: 2r, target_modules: [q_proj, v_proj] }
train: { num_train_epochs: 1, batch_size: 16, learning_rate: 1.0e-1 }
checkpoints: { every: 4 steps }
analyze: { intruders: { every: 4 steps } }
sweep: { grid: { method.r: [1, 2] }, seeds: [0, 1] }
`;

export function lookingSteps({ page: getPage, workspace, sample, shot, step }: Way): void {
  const sweepRow = (page: Page) => runRow(page, /\d of 4 runs/);
  const spectune = (): string => {
    const [found] = globSync("{,*/}.spectune/sweeps/*", { cwd: workspace });
    assert(found !== undefined);
    return join(workspace, found);
  };
  const runOf = (label: string): string => {
    const [found] = globSync(`{,*/}.spectune/runs/*${label}`, { cwd: workspace });
    assert(found !== undefined, label);
    return join(workspace, found);
  };

  step("runs a sweep, and shows its runs as one", async () => {
    const page = getPage();
    const few = (from: string, to: string, count: number): void => {
      const lines = readFileSync(join(sample, "data", from), "utf8").split("\n");
      writeFileSync(join(sample, "data", to), `${lines.slice(0, count).join("\n")}\n`);
    };
    few("train.jsonl", "few.jsonl", 128);
    few("eval.jsonl", "few-eval.jsonl", 24);
    writeFileSync(join(sample, "sweep.peft.yaml"), sweepFile);
    await openFile(page, "sweep.peft.yaml");
    await page.locator(".codelens-decoration", { hasText: "4 runs" }).waitFor({ timeout: 60_000 });
    await shot("sweep-file");
    await command(page, "Run Sweep");
    await showViews(page);
    await runRow(page, /4 of 4 runs/).waitFor({ timeout: 400_000 });
    await shot("sweep-tree");
  });

  step("opens the sweep's report from the word of its end", async () => {
    const page = getPage();
    await page
      .locator(".notification-toast", { hasText: "4 of 4 runs" })
      .locator("a", { hasText: "Open Report" })
      .click({ timeout: 60_000 });
    const report = await panelPage(page, "report");
    await report.getByText("eval.perplexity").first().waitFor();
    await shot("sweep-report");
    // A web view stores nothing itself.
    const link = report.locator('a[download$=".csv"]').first();
    const name = (await link.getAttribute("download")) ?? "";
    await link.click();
    await acceptPath(page);
    const written = await until(() => globSync(`**/${name}`, { cwd: workspace })[0]);
    assert.match(readFileSync(join(workspace, written), "utf8"), /^[^\r\n]+,[^\r\n]+\r\n/);
  });

  step("compares the sweep, with the command line's means and intervals", async () => {
    const page = getPage();
    await closeEditors(page);
    await takeEntry(page, sweepRow(page), "Compare Runs");
    const panel = await panelPage(page, "compare");
    await panel.getByText("eval.perplexity").first().waitFor({ timeout: 60_000 });
    const shown = await rowsOf(panel, "Figures");
    const said = entriesOf(commandLine(["compare", spectune()], workspace), "groups");
    assert.equal(shown.length, said.length);
    for (const [place, group] of said.entries()) {
      const { mean, interval } = entryOf(entryOf(group, "metrics"), "eval.loss");
      const cell = shown[place]?.[2] ?? "";
      assert(cell.startsWith(short(Number(mean))), cell);
      if (isRecord(interval)) assert(cell.includes(short(Number(interval["low"]))), cell);
    }
    await shot("sweep-compare");
  });

  step("writes a curve as a PDF", async () => {
    const page = getPage();
    const panel = await panelPage(page, "compare");
    await figureOf(panel, "Training loss").locator("button", { hasText: "PDF" }).click();
    await acceptPath(page);
    const written = await until(() => globSync("**/loss.pdf", { cwd: workspace })[0]);
    const bytes = readFileSync(join(workspace, written), "latin1");
    assert.match(bytes, /^%PDF-1\.\d[^]*%%EOF\s*$/);
  });

  step("counts over the sweep, as the command line does", async () => {
    const page = getPage();
    await closeEditors(page);
    await takeEntry(page, sweepRow(page), "Count Intruder Dimensions");
    const panel = await panelPage(page, "intruders");
    await press(panel, "Count");
    const table = panel.locator("table", { hasText: "r=2" }).first();
    await table.waitFor({ timeout: 200_000 });
    await shot("sweep-intruders");
    const rows = await table.locator("tbody tr").all();
    const shown = await Promise.all(rows.map((row) => row.locator("td").allTextContents()));
    const document = commandLine(["intruders", "--run", spectune()], workspace);
    for (const group of entriesOf(document, "groups")) {
      const row = shown.find(([label]) => label === group["label"]);
      assert.equal(row?.[2], short(Number(entryOf(group, "intruders")["mean"])));
    }
    assert(shown.some(([, , mean]) => Number(mean) > 0));
  });

  step("counts over training, from the run's own analyses", async () => {
    const page = getPage();
    await closeEditors(page);
    const row = runRow(page, /sweep-r-2-seed-1/);
    if (!(await row.isVisible())) {
      await sweepRow(page).click();
      await page.keyboard.press("ArrowRight");
    }
    await takeEntry(page, row, "Count Intruder Dimensions");
    const panel = await panelPage(page, "intruders");
    const shown = await rowsOf(panel, "Count over training");
    await shot("intruders-over-training");
    const run = runOf("r-2-seed-1");
    const said = globSync("analysis/intruders-step-*.json", { cwd: run }).map((file) => {
      const document = parseJson(readFileSync(join(run, file), "utf8"));
      const total = isRecord(document) ? Number(document["total"]) : NaN;
      return [Number(entryOf(document, "tuned")["step"]), total];
    });
    assert.equal(said.length, 2);
    assert.deepEqual(
      shown,
      said.toSorted(([a = 0], [b = 0]) => a - b).map((pair) => pair.map(short)),
    );
  });

  step("shows exact cosines, profiles and controls with the command line's numbers", async () => {
    const page = getPage();
    const panel = await panelPage(page, "intruders");
    await panel.locator("label.check", { hasText: "Exact cosines" }).click();
    await panel.locator("label.check", { hasText: "Controls" }).click();
    await press(panel, "Count");
    const controls = figureOf(panel, "Beside controls");
    await controls.waitFor({ timeout: 300_000 });
    const args = ["intruders", "--run", runOf("r-2-seed-1"), "--exact", "--controls=3"];
    const answer = commandLine(args, workspace);
    assert(isRecord(answer));
    const document = parseJson(readFileSync(String(answer["file"]), "utf8"));
    const matrices = entriesOf(document, "matrices");
    const said = Object.entries({ random: 2, rotated: 3 }).map(([kind, place]) => {
      const draws = matrices.flatMap((matrix) =>
        entriesOf(matrix, "controls").filter((one) => one["kind"] === kind),
      );
      const counts = draws.map((one) => entriesOf(one, "draws").map(({ count }) => Number(count)));
      return [place, counts.reduce((sum, list) => sum + meanOf(list), 0)] as const;
    });
    const rows = await rowsOf(panel, "Beside controls");
    assert.equal(rows[0]?.[1], short(Number(answer["total"])));
    for (const [place, mean] of said) assert.equal(rows[place - 1]?.[1], short(mean));

    // The profile's greatest cosine is what the record says of that vector.
    const profile = await rowsOf(panel, "Profile of one vector");
    const greatest = Math.max(...profile.map(([, cosine]) => Number(cosine)));
    const [vector] = entriesOf(matrices[0], "vectors");
    assert(Math.abs(greatest - Number(vector?.["upper"])) < 1e-3, `${greatest}`);
    await shot("intruders-exact");
  });

  step("zooms and reads the similarity map by keyboard", async () => {
    const page = getPage();
    const panel = await panelPage(page, "intruders");
    const figure = figureOf(panel, "Cosines to the base");
    const canvas = figure.locator("canvas").first();
    const picture = () => canvas.evaluate((drawn: { toDataURL(): string }) => drawn.toDataURL());
    await canvas.scrollIntoViewIfNeeded();
    await canvas.focus();
    await page.keyboard.press("ArrowRight");
    const whole = await picture();
    for (let times = 0; times < 3; times += 1) await page.keyboard.press("+");
    assert.notEqual(await picture(), whole);
    assert.match((await figure.locator(".told").textContent()) ?? "", /base vector 2: /);
    await shot("similarity-zoomed");
  });

  step("says at once what λ would do, and mitigates to just that", async () => {
    const page = getPage();
    const panel = await panelPage(page, "intruders");
    await panel.locator("label.field", { hasText: "Which" }).locator("select").selectOption("all");
    const slider = panel.locator("label.field", { hasText: "Keep λ" }).locator("input");
    await slider.focus();
    await page.keyboard.press("Home");
    const told = panel.locator(".preview");
    const text = (await told.textContent()) ?? "";
    const [, certain = NaN, before = NaN] = (/leaves (\d+) of (\d+)/.exec(text) ?? []).map(Number);
    const open = Number(/and (\d+) places open/.exec(text)?.[1] ?? 0);
    assert(before > 0 && certain < before, text);
    await told.scrollIntoViewIfNeeded();
    await shot("lambda");
    await press(panel, "Mitigate");
    await acceptPath(page);
    const row = panel.locator("tr", { hasText: "task: loss" }).first();
    await row.waitFor({ timeout: 300_000 });
    await row.scrollIntoViewIfNeeded();
    await shot("mitigated");
    const run = runOf("r-2-seed-1");
    const [file = ""] = globSync("analysis/mitigat*.json", { cwd: run });
    const document: unknown = parseJson(readFileSync(join(run, file), "utf8"));
    const [measured] = entriesOf(document, "measured");
    const cells = await row.locator("td").allTextContents();
    assert.deepEqual(
      [cells[0], cells[1], cells[3]],
      ["before", "after", "control"].map((name) => short(Number(measured?.[name]))),
    );
    // What was foretold is what the mitigated adapter has.
    const out = isRecord(document) ? String(document["out"]) : "";
    const args = ["intruders", join(sample, "base"), "--adapter", out, "--exact"];
    const counted = commandLine(args, workspace);
    const total = isRecord(counted) ? Number(counted["total"]) : NaN;
    assert(total >= certain && total <= certain + open, `${certain} + ${open}: ${total}`);
  });

  step("shows data as tokens", async () => {
    const page = getPage();
    await closeEditors(page);
    await openFile(page, "lora.peft.yaml");
    await command(page, "Show Data as Tokens");
    const panel = await panelPage(page, "tokens");
    await panel.getByText(/3.000 examples/).waitFor({ timeout: 60_000 });
    const trained = await panel.locator(".example .token.trained").first().textContent();
    assert((trained ?? "").length > 0);
    const read = await panel.locator(".example").first().locator(".token").allTextContents();
    const [line = ""] = readFileSync(join(sample, "data/train.jsonl"), "utf8").split("\n");
    const row: unknown = parseJson(line);
    assert(isRecord(row));
    const plain = (text: string): string => text.replaceAll(/[\s·⏎↵Ġ]+/g, "");
    assert(plain(read.join("")).includes(plain(String(row["completion"]))), read.join("|"));
    await shot("tokens");
  });

  step("generates beside the base, what the command line does", async () => {
    const page = getPage();
    await closeEditors(page);
    await commandOn(page, "Generate Text", "elsewhere");
    const panel = await panelPage(page, "generate");
    const prompt = "Sam put the red ball under the chair. Who? Where?";
    await panel.locator("textarea").fill(prompt);
    await panel.locator("label.field", { hasText: "New tokens" }).locator("input").fill("16");
    await panel.locator("textarea").press("Control+Enter");
    const stopped = panel.locator("button:disabled", { hasText: "Stop" });
    await stopped.waitFor({ state: "detached" });
    await stopped.waitFor({ timeout: 120_000 });
    await shot("generate");
    const shown = await panel.locator("pre").allTextContents();
    const args = ["generate", join(workspace, "elsewhere"), "--prompt", prompt, "--compare"];
    const said = commandLine([...args, "--max-new-tokens", "16"], workspace);
    const sides = ["without", "completion"].map((side) => String(entryOf(said, side)["text"]));
    assert.deepEqual(
      shown.map((text) => text.trim()),
      sides.map((text) => text.trim()),
    );
    assert(sides.every((text) => text.length > 0));
  });

  step("compares two adapters, as the command line does", async () => {
    const page = getPage();
    const adapters = ["elsewhere", "twin"].map((name) => join(workspace, name));
    cpSync(join(workspace, "elsewhere"), join(workspace, "twin"), { recursive: true });
    await closeEditors(page);
    await commandOn(page, "Compare Adapters", "elsewhere");
    await chooseRow(page, "twin");
    const panel = await panelPage(page, "report");
    await panel.locator("h1", { hasText: "elsewhere and twin" }).waitFor();
    await shot("adapters");
    const matrices = entriesOf(commandLine(["diff", ...adapters], workspace), "matrices");
    assert(matrices.length > 0);
    const rows = panel.locator("table").first().locator("tbody tr");
    assert.equal(await rows.count(), matrices.length);
    // One and the same adapter: all of its directions are shared.
    assert.match((await rows.first().textContent()) ?? "", /1\.000$/);
  });

  step("deletes a run, after asking, and no other", async () => {
    const page = getPage();
    const [gone, kept] = [runOf("r-1-seed-0"), runOf("r-1-seed-1")];
    await takeEntry(page, runRow(page, /sweep-r-1-seed-0/), "Delete Run");
    const dialog = page.locator(".monaco-dialog-box");
    await dialog.locator("button, a", { hasText: "Cancel" }).first().click();
    assert(existsSync(gone));
    await takeEntry(page, runRow(page, /sweep-r-1-seed-0/), "Delete Run");
    await dialog.locator("button, a", { hasText: "Move to Trash" }).first().click();
    // A server has no trash, and says so.
    await dialog.locator("button, a", { hasText: "Delete for Good" }).first().click();
    await until(() => (existsSync(gone) ? undefined : true));
    assert(existsSync(kept));
    await runRow(page, /sweep-r-1-seed-0/).waitFor({ state: "detached", timeout: 60_000 });
  });
}

async function press(panel: Frame, text: string): Promise<void> {
  await panel.locator("button.primary", { hasText: text }).first().click();
}

/** Waits for what is not there yet. */
async function until<T>(look: () => T | undefined): Promise<T> {
  for (let tries = 0; tries < 120; tries += 1) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error("It did not come.");
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
