/** @file `spectune quantize`: folders that every command takes, that go on after an end, and what is refused. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import { quantizeModel } from "../../src/engine/quantize/quantize-model.ts";
import type { QuantizeJob } from "../../src/engine/quantize/quantize-model.ts";
import { catalogFields } from "../../src/engine/catalog.ts";
import { readExperiment } from "../../src/shared/experiment/normalise.ts";
import { isRecord } from "../../src/shared/wire.ts";
import { lastLine, runsOf, spectune } from "../support/command-line.ts";
import { calibrated, lossOf, measured, quantized, quantizedTo } from "../support/quantize.ts";
import { makeWorkspace, tinyBert, tinyGpt2, writeTinyModel } from "../support/workspace.ts";

describe("a quantized folder", () => {
  for (const [type, ...fields] of [
    ["nf4"],
    ["rtn", "--bits", "8", "--group", "16"],
    ["gptq", "--bits", "8", "--group", "16"],
    ["gptq", "--bits", "8", "--group", "16", "--set", "quantization.act_order=true"],
    ["rtn", "--bits", "7", "--group", "20", "--layout", "spectune"],
    ["awq", "--bits", "8", "--group", "16"],
    ["os_plus", "--bits", "8", "--group", "16"],
    ["rsq", "--bits", "8", "--group", "16"],
  ] as const)
    for (const architecture of type === "rsq" ? ["llama"] : ["llama", "gpt2"])
      it(`of ${architecture} by ${type} ${fields.join(" ")} is measured as the float model, nearly`, async (t) => {
        const folder = makeWorkspace(t);
        if (architecture === "gpt2") writeTinyModel(join(folder, "model"), tinyGpt2, "causal-lm");
        const made = await spectune(
          folder,
          "quantize",
          "model",
          "--type",
          type,
          "--out",
          "q",
          ...fields,
          ...calibrated,
          "--json",
        );
        assert.equal(made.code, 0, made.err);
        const float = lossOf(await spectune(folder, "eval", "model", ...measured));
        const loss = lossOf(await spectune(folder, "eval", "q", ...measured));
        assert.notEqual(loss, float);
        assert.ok(Math.abs(loss - float) < (type === "nf4" ? 0.05 : 0.01), `${loss} for ${float}`);
        assert.ok(bytesIn(folder, "q") < bytesIn(folder, "model"));
        assert.ok(!existsSync(join(folder, "q.part")));
      });

  it("is trained on, generates, and shows its spectra", async (t) => {
    const folder = makeWorkspace(t);
    await quantized(folder, "gptq", "--bits", "4", "--group", "16", ...calibrated);
    const run = await spectune(folder, "run", "a.peft.yaml", "--json", "--set", "model=./q");
    assert.equal(run.code, 0, run.err);
    const written = await spectune(
      folder,
      "generate",
      "q",
      "--prompt",
      "Ann",
      "--max-new-tokens",
      "4",
    );
    assert.equal(written.code, 0, written.err);
    const spectra = await spectune(folder, "spectra", "q", "--json");
    assert.equal(spectra.code, 0, spectra.err);
    assert.match(spectra.out, /"model\.layers\.0\.self_attn\.q_proj\.weight"/);
  });

  it("is asked for by the words of a comparison, too: int4 is rtn in 4 bits", async (t) => {
    const folder = makeWorkspace(t);
    await quantizedTo(folder, "by-word", "int4", "--group", "16");
    await quantizedTo(folder, "by-bits", "rtn", "--bits", "4", "--group", "16");
    const weights = (name: string) => readFileSync(join(folder, name, "model.safetensors"));
    assert.ok(weights("by-word").equals(weights("by-bits")));
    // Told by the size that it has on the disk, less the header.
    const { bytes } = lastLine(await spectune(folder, "inspect", "by-word", "--json"));
    const header = 8 + Number(weights("by-word").readBigUInt64LE());
    assert.equal(bytes, weights("by-word").length - header);
  });

  it("says how it was made", async (t) => {
    const folder = makeWorkspace(t);
    await quantized(folder, "gptq", "--bits", "4", "--group", "16", ...calibrated);
    const record: unknown = JSON.parse(
      readFileSync(join(folder, "q/spectune_quantization.json"), "utf8"),
    );
    assert.ok(isRecord(record) && isRecord(record["quantizer"]) && isRecord(record["calibration"]));
    assert.equal(record["quantizer"]["type"], "gptq");
    assert.match(String(record["calibration"]["sha256"]), /^[0-9a-f]{64}$/);
    const config: unknown = JSON.parse(readFileSync(join(folder, "q/config.json"), "utf8"));
    assert.ok(isRecord(config) && isRecord(config["quantization_config"]));
    assert.equal(config["quantization_config"]["quant_method"], "gptq");
    assert.equal(config["quantization_config"]["bits"], 4);
  });

  it("is the same after an end in the middle as without one", async (t) => {
    const folder = makeWorkspace(t);
    await quantized(folder, "gptq", "--bits", "4", "--group", "16", ...calibrated);
    const job = jobOf(folder, "again");
    const stop = new Error("the end of the process");
    const seen: number[] = [];
    await assert.rejects(
      quantizeModel(job, {
        now: () => 0,
        onProgress: (progress) => {
          if (!progress.search && progress.layer === 1) throw stop;
        },
      }),
      stop,
    );
    assert.ok(!existsSync(job.out));
    await quantizeModel(job, {
      now: () => 0,
      onProgress: (progress) => {
        if (!progress.search) seen.push(progress.resumedFrom);
      },
    });
    assert.deepEqual([...new Set(seen)], [1]);
    const file = "model.safetensors";
    assert.deepEqual(readFileSync(join(job.out, file)), readFileSync(join(folder, "q", file)));
  });
});

describe("quantizers side by side", () => {
  it("are measured, told as a table and as JSON, and drawn", async (t) => {
    const folder = makeWorkspace(t);
    const outcome = await spectune(
      folder,
      ...["quantize", "model", "--compare", "nf4,int4,gptq:2:16,awq:3", "--group", "16"],
      ...calibrated,
      ...["--data", "eval.jsonl", "--report", "r.html", "--json"],
    );
    assert.equal(outcome.code, 0, outcome.err);
    const { rows, matrices, file } = lastLine(outcome);
    assert.ok(Array.isArray(rows) && Array.isArray(matrices));
    assert.deepEqual(
      rows.map((row: unknown) => isRecord(row) && [row["label"], row["type"]]),
      [
        ["float", "float"],
        ["nf4", "nf4"],
        ["int4", "rtn"],
        ["gptq:2:16", "gptq"],
        ["awq:3", "awq"],
      ],
    );
    for (const row of rows.slice(1)) {
      assert.ok(isRecord(row) && row["failed"] === undefined, JSON.stringify(row));
      assert.ok(Number(row["bitsPerWeight"]) > 2 && Number(row["outputError"]) > 0);
      assert.ok(isRecord(row["perplexity"]) && isRecord(row["task"]));
      const { loss } = row["task"];
      assert.ok(isRecord(loss) && Number(loss["low"]) < Number(loss["value"]));
    }
    assert.equal(matrices.length, 14);
    const document: unknown = JSON.parse(readFileSync(String(file), "utf8"));
    assert.ok(isRecord(document) && document["kind"] === "quantize");
    const report = readFileSync(join(folder, "r.html"), "utf8");
    assert.match(report, /<svg[^]*down_proj/);
    const first: unknown = rows[1];
    assert.ok(isRecord(first) && isRecord(first["task"]));
    for (const name of ["loss", ...Object.keys(first["task"])])
      assert.match(report, new RegExp(`<th[^>]*>${name}</th><th[^>]*>low</th>`, "u"));
    const table = await spectune(folder, "quantize", "model", "--compare", "int4", "--group", "16");
    assert.match(table.out, /int4 +\d\.\d+/);
  });
});

describe("an experiment's base", () => {
  it("is held by any quantizer that needs no data", async (t) => {
    const folder = makeWorkspace(t);
    const run = (...set: readonly string[]) =>
      spectune(folder, "run", "a.peft.yaml", "--json", ...set.flatMap((one) => ["--set", one]));
    for (const quantization of [
      "{type: rtn, bits: 8, group: 16}",
      "{type: rtn, bits: 3, group: 16}",
      "{type: fp6}",
    ]) {
      const outcome = await run(`quantization=${quantization}`);
      assert.equal(outcome.code, 0, outcome.err);
    }
    const pissa = await run("quantization={type: rtn, bits: 4, group: 16}", "method.init=pissa");
    assert.equal(pissa.code, 0, pissa.err);
    const gptq = await run("quantization={type: gptq, group: 16}");
    assert.notEqual(gptq.code, 0);
    assert.match(gptq.err, /spectune quantize MODEL --type gptq/);
  });
});

describe("an adapter of a quantized base", () => {
  it("is merged into the original or into quantized weights, with how true that is", async (t) => {
    const folder = makeWorkspace(t);
    await quantized(folder, "gptq", "--bits", "4", "--group", "16", ...calibrated);
    const run = await spectune(folder, "run", "a.peft.yaml", "--json", "--set", "model=./q");
    assert.equal(run.code, 0, run.err);
    const adapter = join(runsOf(folder)[0] ?? "", "adapter");
    const merge = async (...more: readonly string[]) => {
      const made = await spectune(
        folder,
        "merge",
        "--adapter",
        adapter,
        "--base",
        "q",
        "--json",
        ...more,
      );
      assert.equal(made.code, 0, made.err);
      return lastLine(made);
    };
    const original = await merge("--out", "o");
    assert.equal(original["into"], "original");
    assert.ok(isRecord(original["logits"]) && Number(original["logits"]["divergence"]) > 0);
    // The original is in float32: nothing is rounded away.
    assert.ok(isRecord(original["update"]));
    assert.ok(Math.abs(Number(original["update"]["survives"]) - 1) < 1e-4);
    assert.ok(!existsSync(join(folder, "o.float")));
    const float = lossOf(await spectune(folder, "eval", "model", ...measured));
    assert.ok(Math.abs(lossOf(await spectune(folder, "eval", "o", ...measured)) - float) < 1);
    const again = await merge("--out", "m", "--into", "quantized");
    assert.ok(isRecord(again["update"]) && isRecord(again["logits"]));
    const { survives } = again["update"];
    assert.ok(typeof survives === "number" && survives > 0.3 && survives < 1.7, String(survives));
    assert.ok(bytesIn(folder, "m") < bytesIn(folder, "o"));
    assert.ok(!existsSync(join(folder, "m.float")));
    const plain = await spectune(
      folder,
      "merge",
      "--adapter",
      adapter,
      "--base",
      "model",
      "--out",
      "p",
      "--into",
      "quantized",
    );
    assert.match(plain.err, /no folder that spectune quantize made/);
  });
});

describe("what cannot be quantized", () => {
  for (const [name, args, said] of [
    ["without data", ["--type", "gptq", "--group", "16"], /reads calibration data/],
    [
      "with too little text",
      ["--type", "gptq", "--group", "16", "--calibration", "eval.jsonl"],
      /128 windows of 64 need 8192.*--samples/s,
    ],
    ["in groups that do not divide", ["--type", "rtn", "--group", "12"], /8 and 16/],
    [
      "in blocks that there are not",
      ["--type", "nf4", "--set", "quantization.block_size=48"],
      /power of two, and this is 48; the nearest are 32 and 64/,
    ],
    ["in bits that there are not", ["--type", "rtn", "--bits", "9"], /bits/],
    ["by a quantizer that there is not", ["--type", "gptx"], /gptq/],
  ] as const)
    it(`${name} is said`, async (t) => {
      const folder = makeWorkspace(t);
      const outcome = await spectune(folder, "quantize", "model", "--out", "q", ...args);
      assert.notEqual(outcome.code, 0);
      assert.match(outcome.err, said);
      assert.ok(!existsSync(join(folder, "q")));
    });

  it("a folder that is quantized already is named, also where an experiment quantizes it", async (t) => {
    const folder = makeWorkspace(t);
    await quantized(folder, "nf4");
    const again = await spectune(
      folder,
      "quantize",
      "q",
      "--type",
      "rtn",
      "--group",
      "16",
      "--out",
      "r",
    );
    assert.notEqual(again.code, 0);
    assert.match(again.err, /quantized already/);
    const compared = await spectune(folder, "quantize", "q", "--compare", "nf4,int4");
    assert.equal(compared.code, 2);
    assert.match(compared.err, /quantized already/);
    const run = await spectune(
      folder,
      "run",
      "a.peft.yaml",
      "--set",
      "model=./q",
      "--set",
      "quantization=nf4",
    );
    assert.notEqual(run.code, 0);
    assert.match(run.err, /quantized already/);
  });

  it("an adapter is no model, here and where quantizers are compared", async (t) => {
    const folder = makeWorkspace(t);
    const run = await spectune(folder, "run", "a.peft.yaml", "--json");
    assert.equal(run.code, 0, run.err);
    const made = runsOf(folder)[0] ?? "";
    for (const given of [basename(made), join(made, "adapter")])
      for (const how of [
        ["--type", "nf4", "--out", "q"],
        ["--compare", "nf4"],
      ]) {
        const outcome = await spectune(folder, "quantize", given, ...how);
        assert.equal(outcome.code, 2);
        assert.match(outcome.err, /takes a model whole.*spectune merge/su);
        assert.ok(!existsSync(join(folder, "q")));
      }
  });

  it("damaged packed tensors are named", async (t) => {
    const folder = makeWorkspace(t);
    await quantized(folder, "rtn", "--bits", "5", "--group", "16");
    const file = join(folder, "q/model.safetensors");
    const bytes = readFileSync(file);
    const at = bytes.indexOf('{"format":"grid"');
    assert.ok(at > 0);
    bytes.write('{"format":"grad"', at);
    writeFileSync(file, bytes);
    const outcome = await spectune(folder, "eval", "q", ...measured);
    assert.notEqual(outcome.code, 0);
    assert.match(outcome.err, /cannot be read/);
  });

  it("BERT goes through layer by layer too, but has no norms to fold into", async (t) => {
    const folder = makeWorkspace(t);
    writeTinyModel(
      join(folder, "bert"),
      { ...tinyBert, vocab_size: 264, max_position_embeddings: 64 },
      "sequence-classification",
    );
    const outcome = await spectune(
      folder,
      "quantize",
      "bert",
      "--task",
      "sequence-classification",
      "--type",
      "rtn",
      "--group",
      "16",
      "--out",
      "q",
    );
    assert.equal(outcome.code, 0, outcome.err);
    const awq = await spectune(
      folder,
      ...["quantize", "bert", "--task", "sequence-classification", "--type", "awq"],
      ...["--group", "16", "--out", "r", "--calibration", "train.jsonl"],
    );
    assert.notEqual(awq.code, 0);
    assert.match(awq.err, /in bert every norm feeds a residual sum/);
  });
});

function bytesIn(folder: string, model: string): number {
  return statSync(join(folder, model, "model.safetensors")).size;
}

/** What the command line makes of the same options. */
function jobOf(folder: string, out: string): QuantizeJob {
  const fields = "{ type: gptq, bits: 4, group: 16 }";
  const { experiment } = readExperiment({
    file: join(folder, "a.yaml"),
    text: `{ version: 1, model: ./model, data: { train: none.txt }, method: lora, quantization: ${fields} }`,
    catalog: catalogFields,
  });
  assert.ok(experiment?.quantization && isRecord(experiment.quantization.config));
  const { type, config, skip_modules: skip } = experiment.quantization;
  return {
    reference: { id: join(folder, "model") },
    task: "causal-lm",
    places: { base: folder, env: {}, home: homedir() },
    device: experiment.run,
    quantizer: { type, config },
    calibration: { file: join(folder, "train.jsonl"), samples: 8, length: 32, seed: 0 },
    experiment,
    skip,
    seed: 0,
    out: join(folder, out),
    layout: "auto",
    versions: {},
  };
}
