/** @file What the lab's commands print for machines, and what must hold of it whatever the model. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { isRecord } from "../../../src/shared/wire.ts";
import { spectune } from "../../support/command-line.ts";
import { matrix, writeAdapter, writeModel } from "../../unit/engine/lab/folders.ts";
import { asked, base, list, moduleOf, names, numbersOf, plus, workspace } from "./small-models.ts";

/** A rank-1 update along random directions, twice as strong as the strongest of the base. */
const planted = { B: matrix(192, 1, 20), A: matrix(1, 192, 21) };
const factors = (B = planted.B, A = planted.A) => ({
  [`${moduleOf(names.q)}.lora_A.weight`]: A,
  [`${moduleOf(names.q)}.lora_B.weight`]: B,
});
const plantedConfig = { r: 1, lora_alpha: 0.4 };

describe("intruders --json", () => {
  it("has the shape of its contract, and finds a planted direction", async (t) => {
    const folder = await workspace(t);
    await writeAdapter(join(folder, "adapter"), plantedConfig, factors());
    const { file, ...json } = await asked(folder, "intruders", "base", "--adapter", "adapter");
    assert.deepEqual(Object.keys(json), ["total", "matrices"]);
    assert.equal(json["total"], 1);
    const [first, ...others] = list(json["matrices"]);
    assert(first && others.length === 0);
    assert.deepEqual(Object.keys(first), ["name", "count", "vectors"]);
    assert.deepEqual([first["name"], first["count"]], [names.q, 1]);
    const vectors = list(first["vectors"]);
    assert.equal(vectors.length, 10);
    for (const [index, vector] of vectors.entries()) {
      assert.deepEqual(
        Object.keys(vector),
        ["index", "sigma", "lower", "upper", "intruder", "by"],
        "fields of a vector",
      );
      assert.equal(vector["index"], index);
      assert(Number(vector["lower"]) <= Number(vector["upper"]));
    }
    assert.deepEqual(
      vectors.map(({ intruder }) => intruder),
      [true, ...Array.from({ length: 9 }, () => false)],
    );
    assert.equal(vectors[0]?.["by"], "intruder");
    assert(typeof file === "string");
    const kept: unknown = JSON.parse(readFileSync(file, "utf8"));
    assert(isRecord(kept));
    assert.deepEqual([kept["total"], kept["complete"], kept["version"]], [1, true, 1]);
    assert.deepEqual(kept["matrixSet"], [names.q]);
  });

  it("is nothing where nothing was trained", async (t) => {
    const folder = await workspace(t);
    const { total, matrices } = await asked(folder, "intruders", "base", "--tuned", "base");
    assert.equal(total, 0);
    assert.equal(list(matrices).length, 3);
    const zeros = factors(matrix(192, 1, 1), matrix(1, 192, 1));
    for (const { data } of Object.values(zeros)) data.fill(0);
    await writeAdapter(join(folder, "zeros"), plantedConfig, zeros);
    assert.equal((await asked(folder, "intruders", "base", "--adapter", "zeros"))["total"], 0);
  });

  it("counts no fewer as ε or k grows, and as many of a scaled model", async (t) => {
    const folder = await workspace(t);
    const tuned = Object.fromEntries(
      Object.entries(base).map(([name, W], seed) => [
        name,
        plus(W, matrix(W.rows, 4, 30 + seed), matrix(4, W.columns, 40 + seed), 0.3),
      ]),
    );
    await writeModel(join(folder, "tuned"), tuned);
    const total = async (...args: readonly string[]): Promise<number> =>
      Number((await asked(folder, "intruders", "base", "--tuned", "tuned", ...args))["total"]);
    let before = 0;
    for (const threshold of ["0.2", "0.4", "0.5", "0.7", "0.9"]) {
      const now = await total("--threshold", threshold);
      assert(now >= before, `${now} at ${threshold}, after ${before}`);
      before = now;
    }
    before = 0;
    for (const top of ["1", "5", "10%", "40"]) {
      const now = await total("--top", top);
      assert(now >= before, `${now} at ${top}, after ${before}`);
      before = now;
    }
    const own = await total("--exact");
    assert(own > 0);
    const scaled = Object.fromEntries(
      Object.entries(tuned).map(([name, W]) => [name, { ...W, data: W.data.map((x) => 4 * x) }]),
    );
    await writeModel(join(folder, "scaled"), scaled);
    const { total: other } = await asked(folder, "intruders", "base", "--tuned", "scaled");
    assert.equal(other, await total());
    assert.equal(own, await total("--reference", "base", "--exact"));
  });
});

describe("spectra --json", () => {
  it("has base, tuned and update of each matrix", async (t) => {
    const folder = await workspace(t);
    await writeAdapter(join(folder, "adapter"), plantedConfig, factors());
    const { sides } = await asked(folder, "spectra", "base", "--adapter", "adapter");
    const [side] = list(sides);
    const [record, ...others] = list(side?.["matrices"]);
    assert(record && others.length === 0);
    const { base: of, tuned, update } = record;
    assert(isRecord(of) && isRecord(tuned) && isRecord(update));
    assert(isRecord(update["spectrum"]));
    assert.equal(numbersOf(of["sigma"]).length, 192);
    assert.equal(numbersOf(update["spectrum"]["sigma"]).length, 1);
    // ‖s B A‖ of one column and one row.
    const norm = (data: Float32Array): number => Math.hypot(...data);
    const expected = 0.4 * norm(planted.B.data) * norm(planted.A.data);
    const [sigma = 0] = numbersOf(update["spectrum"]["sigma"]);
    assert(Math.abs(sigma / expected - 1) < 1e-6, `${sigma}, not ${expected}`);
    assert.equal(update["from"], "exact");

    const alone = await asked(folder, "spectra", "base", "--matrices", "up_proj|down_proj");
    const matrices = list(list(alone["sides"])[0]?.["matrices"]);
    assert.deepEqual(
      matrices.map(({ name }) => name),
      [names.up, names.down].toSorted(),
    );
    assert(matrices.every((one) => one["tuned"] === undefined));
  });

  it("has Marchenko–Pastur's variance by the rule that was asked for", async (t) => {
    const folder = await workspace(t);
    const strong = base[names.q] ?? planted.B;
    await writeModel(join(folder, "spiked"), {
      [names.q]: plus(strong, matrix(192, 1, 5), matrix(1, 192, 6), 5),
    });
    const [median, mean] = await Promise.all(
      ["median", "weightwatcher"].map(async (rule) => {
        const json = await asked(folder, "spectra", "spiked", "--variance", rule);
        const [record] = list(list(json["sides"])[0]?.["matrices"]);
        assert(isRecord(record?.["base"]) && isRecord(record["base"]["marchenkoPastur"]));
        assert.equal(record["base"]["marchenkoPastur"]["rule"], rule);
        return Number(record["base"]["marchenkoPastur"]["sigmaMp"]);
      }),
    );
    // Entries are uniform in [−1, 1]: the spike moves the mean and not the median.
    assert(Math.abs((median ?? 0) - Math.sqrt(1 / 3)) < 0.03, String(median));
    assert((mean ?? 0) > 1, String(mean));
    const wrong = await spectune(folder, "spectra", "spiked", "--variance", "mode");
    assert.match(wrong.err, /median or weightwatcher, not mode/);
  });
});

describe("diff --json", () => {
  it("has overlap, angles, norms and ranks, and what only one has", async (t) => {
    const folder = await workspace(t);
    await writeAdapter(join(folder, "a"), plantedConfig, factors());
    const more = {
      [`${moduleOf(names.up)}.lora_A.weight`]: matrix(1, 40, 5),
      [`${moduleOf(names.up)}.lora_B.weight`]: matrix(64, 1, 6),
    };
    const doubled = { ...planted.B, data: planted.B.data.map((x) => 2 * x) };
    await writeAdapter(join(folder, "b"), plantedConfig, { ...factors(doubled), ...more });
    const json = await asked(folder, "diff", "a", "b", "--base", "base");
    const [record] = list(json["matrices"]);
    assert(record);
    assert(Math.abs(Number(record["cosine"]) - 1) < 1e-6);
    const [one = 0, two = 0] = numbersOf(record["norms"]);
    assert(Math.abs(two / one - 2) < 1e-6);
    assert.deepEqual(record["ranks"], [1, 1]);
    assert.deepEqual([json["onlyFirst"], json["onlySecond"]], [[], [names.up]]);
    assert.ok(String(json["report"]).endsWith(join("analysis", "a--b", "report.html")));
    assert.match(readFileSync(String(json["report"]), "utf8"), /Analysis of a and b/);
    const table = await spectune(folder, "diff", "a", "b", "--base", "base");
    assert.match(table.out, /only in b: model\.layers\.0\.mlp\.up_proj\.weight/);
  });
});

describe("mitigate", () => {
  it("leaves everything bit for bit with --keep 1", async (t) => {
    const folder = await workspace(t);
    await writeAdapter(join(folder, "adapter"), plantedConfig, factors());
    const tuned = {
      ...base,
      [names.q]: plus(base[names.q] ?? planted.B, planted.B, planted.A, 0.4),
    };
    await writeModel(join(folder, "tuned"), tuned);
    for (const [option, name] of [
      ["--adapter", "adapter_model.safetensors"],
      ["--tuned", "model.safetensors"],
    ] as const) {
      const from = option.slice(2);
      const out = `${from}-kept`;
      const json = await asked(
        folder,
        ...["mitigate", "base", option, from, "--keep", "1", "--which", "all", "--out", out],
      );
      assert.equal(json["form"], from === "adapter" ? "adapter" : "model");
      const bytes = (of: string): Buffer => readFileSync(join(folder, of, name));
      assert.deepEqual(tensorBytes(bytes(out)), tensorBytes(bytes(from)), option);
    }
  });

  it("takes a planted direction out, exactly by one rank more, beside its control", async (t) => {
    const folder = await workspace(t);
    await writeAdapter(join(folder, "adapter"), plantedConfig, factors());
    const args = ["mitigate", "base", "--adapter", "adapter", "--keep", "0", "--out", "less"];
    const json = await asked(folder, ...args);
    const [record] = list(json["matrices"]);
    const [control] = list(json["controls"]);
    assert.deepEqual([record?.["rankBefore"], record?.["rankAfter"]], [1, 2]);
    assert.deepEqual([record?.["indices"], control?.["control"]], [[0], true]);
    assert.equal((await asked(folder, "intruders", "base", "--adapter", "less"))["total"], 0);
    const kept = join("less", "control-neighbour");
    assert.equal((await asked(folder, "intruders", "base", "--adapter", kept))["total"], 1);
    const written: unknown = JSON.parse(readFileSync(join(folder, "less/mitigation.json"), "utf8"));
    assert(isRecord(written) && isRecord(written["options"]));
    assert.deepEqual([written["options"]["keep"], written["options"]["which"]], [0, "top"]);
    // Another adapter of the same name, and another ε, are results of their own.
    const other = join("other", "adapter");
    await writeAdapter(join(folder, other), { ...plantedConfig, lora_alpha: 1 }, factors());
    const again = ["mitigate", "base", "--keep", "0", "--adapter"];
    await asked(folder, ...again, other, "--out", "less-2");
    await asked(folder, ...again, "adapter", "--out", "less-3", "--threshold", "0.4");
    const analysis = join(folder, ".spectune", "analysis", "base--adapter");
    const mitigations = readdirSync(analysis).filter((name) => name.startsWith("mitigation-"));
    assert.equal(mitigations.length, 3);
    const html = readFileSync(join(analysis, "report.html"), "utf8");
    assert.match(html, /Intruder dimensions of other\/adapter/);
    assert.match(html, /top, λ = 0, ε = 0\.4, k = 10/);
    const taken = await spectune(folder, ...args);
    assert.equal(taken.code, 2);
    assert.match(taken.err, /output-exists/);
  });
});

/** Everything behind a safetensors header. */
function tensorBytes(file: Buffer): Buffer {
  return file.subarray(8 + Number(file.readBigUInt64LE(0)));
}
