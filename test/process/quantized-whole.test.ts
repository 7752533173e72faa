/** @file Quantizers that change more than matrices: hidden states that are rotated, inputs that are rounded, layers in sequence. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { isRecord } from "../../src/shared/wire.ts";
import { lastLine, runsOf, spectune } from "../support/command-line.ts";
import {
  calibrated,
  lossOf,
  measured,
  quantized,
  quantizedTo,
  weightsIn,
} from "../support/quantize.ts";
import { makeWorkspace, tinyGpt2, writeTinyModel } from "../support/workspace.ts";

describe("a folder", () => {
  it("by RSQ without rotation and weights is GPTQ's, to the last byte", async (t) => {
    const folder = makeWorkspace(t);
    for (const sequential of [true, false]) {
      const fields = ["--bits", "3", "--group", "16", ...calibrated, "--set", `quantization.true_sequential=${sequential}`]; // prettier-ignore
      await quantizedTo(folder, `g${sequential}`, "gptq", ...fields);
      const plain = ["rotate=false", "most=1"].flatMap((set) => ["--set", `quantization.${set}`]);
      await quantizedTo(folder, `r${sequential}`, "rsq", ...fields, ...plain);
      assert.ok(weightsIn(folder, `g${sequential}`).equals(weightsIn(folder, `r${sequential}`)));
    }
    // What others of the layer give quantized is another input.
    assert.ok(!weightsIn(folder, "gtrue").equals(weightsIn(folder, "gfalse")));
  });

  for (const [type, off] of [
    ["dgq", { input_bits: 16 }],
    ["zeroquant_fp", { inputs: "float" }],
    ["os_plus", { input_bits: 16 }],
  ] as const)
    it(`by ${type} is measured with its inputs rounded, unless they are to stay`, async (t) => {
      const folder = makeWorkspace(t);
      await quantized(folder, type, "--group", "16", ...calibrated);
      const losses: number[] = [];
      for (const fields of [{}, off, ...(type === "zeroquant_fp" ? [] : [{ input_bits: 2 }])]) {
        setQuantizer(join(folder, "q/config.json"), fields);
        losses.push(lossOf(await spectune(folder, "eval", "q", ...measured)));
      }
      const [rounded = NaN, plain = NaN, coarse = Infinity] = losses;
      assert.ok(rounded !== plain && Math.abs(rounded - plain) < 0.05, losses.join());
      assert.ok(Math.abs(coarse - plain) > Math.abs(rounded - plain), losses.join());
    });

  it("by AWQ keeps its adapters from the original, whose channels are others", async (t) => {
    const folder = makeWorkspace(t);
    await quantized(folder, "awq", "--bits", "4", "--group", "16", ...calibrated);
    const run = await spectune(folder, "run", "a.peft.yaml", "--json", "--set", "model=./q");
    assert.equal(run.code, 0, run.err);
    const merge = (out: string, ...more: readonly string[]) =>
      spectune(
        folder,
        ...["merge", "--adapter", join(runsOf(folder)[0] ?? "", "adapter"), "--base", "q"],
        ...["--out", out, "--json", ...more],
      );
    const original = await merge("o");
    assert.notEqual(original.code, 0);
    assert.match(original.err, /awq, which scales or turns channels/);
    assert.ok(!existsSync(join(folder, "o")));
    const again = await merge("m", "--into", "quantized");
    assert.equal(again.code, 0, again.err);
    assert.ok(lastLine(again)["update"] === undefined && isRecord(lastLine(again)["logits"]));
  });

  it("is searched for intruder dimensions of quantization alone by one command", async (t) => {
    const folder = makeWorkspace(t);
    await quantized(folder, "rtn", "--bits", "2", "--group", "16");
    const counts = async (...tuned: readonly string[]): Promise<number> => {
      const outcome = await spectune(folder, "intruders", "model", ...tuned, "--json");
      assert.equal(outcome.code, 0, outcome.err);
      const { total } = lastLine(outcome);
      return Number(total);
    };
    assert.ok((await counts("--tuned", "q")) > 0);
    assert.equal(await counts("--tuned", "model"), 0);
  });

  it("GPT-2 is not rotated, for its norms take means off", async (t) => {
    const folder = makeWorkspace(t);
    writeTinyModel(join(folder, "model"), tinyGpt2, "causal-lm");
    const outcome = await spectune(
      folder,
      ...["quantize", "model", "--type", "rsq", "--group", "16", "--out", "q", ...calibrated],
    );
    assert.notEqual(outcome.code, 0);
    assert.match(outcome.err, /norms without means and shifts; those of gpt2 have them/);
    assert.match(outcome.err, /rotate/);
    assert.ok(!existsSync(join(folder, "q")) && !existsSync(join(folder, "q.part")));
  });
});

/** Changes fields of what a folder says of its quantizer. */
function setQuantizer(file: string, fields: object): void {
  const config: unknown = JSON.parse(readFileSync(file, "utf8"));
  assert.ok(isRecord(config) && isRecord(config["quantization_config"]));
  const about = config["quantization_config"];
  assert.ok(isRecord(about["spectune"]));
  const spectuneFields = { ...about["spectune"], ...fields };
  writeFileSync(
    file,
    JSON.stringify({ ...config, quantization_config: { ...about, spectune: spectuneFields } }),
  );
}
