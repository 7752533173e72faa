/** @file Folders whose quantizer rounds inputs too: measured and generating with rounded inputs, but for modules that stay as they are. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { describe, it } from "node:test";
import { isRecord } from "../../src/shared/wire.ts";
import { lastLine, spectune } from "../support/command-line.ts";
import { calibrated, lossOf, measured } from "../support/quantize.ts";
import { makeWorkspace } from "../support/workspace.ts";
import { scratch } from "../unit/engine/runs/scratch.ts";

const sample = join(import.meta.dirname, "../../media/sample");

/** OS+ that moves and scales nothing: plain rounding of weights, and of inputs. */
const plain = ["--type", "os_plus", "--set", "quantization.thresholds=0", "--set", "quantization.shift=false"] as const; // prettier-ignore

/** A folder `to` of the workspace, and what was said of it. */
async function made(
  folder: string,
  to: string,
  args: readonly string[],
  inputBits: number,
): Promise<string> {
  const bits = ["--set", `quantization.input_bits=${inputBits}`];
  const outcome = await spectune(folder, "quantize", ...args, ...plain, ...bits, "--out", to);
  assert.equal(outcome.code, 0, outcome.err);
  return outcome.out;
}

/** What inputs of 2 bits do to the loss, with some modules as they are. */
async function moved(t: TestContext, skip: string): Promise<number> {
  const folder = makeWorkspace(t);
  const args = ["model", "--group", "16", ...calibrated];
  const skips = ["--set", `quantization.skip_modules=[${skip}]`];
  const of = async (bits: number) => {
    await made(folder, `q${bits}`, [...args, ...skips], bits);
    return lossOf(await spectune(folder, "eval", `q${bits}`, ...measured));
  };
  return Math.abs((await of(2)) - (await of(16)));
}

describe("rounded inputs", () => {
  it("count where a folder generates, and the command says what they are", async (t) => {
    const folder = scratch(t);
    const text = ["--calibration", join(sample, "data/general.txt"), "--samples", "2", "--length", "64"]; // prettier-ignore
    const args = [join(sample, "base"), "--group", "32", ...text];
    assert.doesNotMatch(await made(folder, "exact", args, 16), /simulated/u);
    assert.match(
      await made(folder, "rounded", args, 2),
      /OS\+ rounds inputs to 2 bits: simulated .* no speed is claimed/u,
    );
    const written = async (model: string): Promise<string> => {
      const outcome = await spectune(
        folder,
        ...["generate", model, "--prompt", "The ", "--max-new-tokens", "16", "--json"],
      );
      assert.equal(outcome.code, 0, outcome.err);
      const { completion } = lastLine(outcome);
      assert.ok(isRecord(completion) && typeof completion["text"] === "string");
      return completion["text"];
    };
    const rounded = await written("rounded");
    assert.equal(await written("rounded"), rounded);
    assert.notEqual(await written("exact"), rounded);
  });

  it("leave what modules read that stay as they are", async (t) => {
    const all = await moved(t, "");
    const few = await moved(t, "q_proj, v_proj, o_proj, gate_proj, up_proj, down_proj");
    assert.ok(few > 0 && few < all / 2, `${few} of ${all}`);
  });
});
