/** @file What the lab's commands say of input that cannot be meant, and of a cache that was damaged. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { at } from "../../../src/shared/errors.ts";
import { spectune } from "../../support/command-line.ts";
import { matrix, writeAdapter, writeModel } from "../../unit/engine/lab/folders.ts";
import { base, moduleOf, names, workspace } from "./small-models.ts";

/** The command ends with code 2 and these words, writes nothing on standard output, and leaves no analysis. */
async function refuses(folder: string, args: string, ...words: readonly RegExp[]): Promise<void> {
  const outcome = await spectune(folder, ...args.split(" "), "--json");
  assert.equal(outcome.code, 2, `${args}: ${outcome.err}`);
  for (const word of words) assert.match(outcome.err, word);
  assert.equal(outcome.out, "");
  assert(!existsSync(join(folder, ".spectune", "analysis")), args);
}

const factors = (name: string, out: number, width: number) => ({
  [`${moduleOf(name)}.lora_A.weight`]: matrix(2, width, 1),
  [`${moduleOf(name)}.lora_B.weight`]: matrix(out, 2, 2),
});

describe("two models that are not one and the same", () => {
  it("are refused with the matrices that do not fit", async (t) => {
    const folder = await workspace(t);
    await writeModel(join(folder, "narrow"), { ...base, [names.up]: matrix(64, 39, 2) });
    const lacking = Object.entries(base).filter(([name]) => name !== names.down);
    await writeModel(join(folder, "lacking"), Object.fromEntries(lacking));
    await writeModel(join(folder, "foreign"), { "encoder.weight": matrix(8, 8, 1) });
    for (const command of ["spectra", "intruders"]) {
      await refuses(
        folder,
        `${command} base --tuned narrow`,
        /different-shapes/,
        /up_proj\.weight is \[64, 40\][^]*\[64, 39\]/,
      );
      await refuses(
        folder,
        `${command} base --tuned lacking`,
        /missing-tensors/,
        /lacking lacks 1 [^]*layers\.1\.mlp\.down_proj\.weight/,
      );
      await refuses(folder, `${command} lacking --tuned base`, /lacking lacks 1 [^]*down_proj/);
      await refuses(folder, `${command} base --tuned foreign`, /lacks 3 [^]*no name fits/);
    }
    for (const [full, word] of [
      ["narrow", /different-shapes/],
      ["foreign", /foreign has none of the matrices of \S+base/],
    ] as const)
      await refuses(folder, `intruders base --tuned base --full ${full}`, word);
    // What both have can be chosen.
    const both = ["intruders", "base", "--tuned", "lacking", "--matrices", "layers.0"];
    assert.equal((await spectune(folder, ...both)).code, 0);
  });
});

describe("an adapter of another base", () => {
  it("is refused with what it was noticed by: names, shapes, or what it says itself", async (t) => {
    const folder = await workspace(t);
    await writeAdapter(join(folder, "wide"), {}, factors(names.up, 64, 48));
    await refuses(
      folder,
      "intruders base --adapter wide",
      /adapter-of-another-base/,
      /up_proj\.weight is \[64, 40\][^]*lora_A[^]*\[2, 48\][^]*noticed by the shape/,
    );
    const deeper = names.up.replace("layers.0", "layers.7");
    await writeAdapter(join(folder, "deep"), {}, factors(deeper, 64, 40));
    await refuses(
      folder,
      "spectra base --adapter deep",
      /has no model\.layers\.7\.mlp\.up_proj/,
      /noticed by names: 1 of 1/,
    );
    for (const type of ["LOHA", "BOFT", "P_TUNING", "NOSUCH"]) {
      await writeAdapter(join(folder, type), { peft_type: type }, factors(names.up, 64, 40));
      await refuses(
        folder,
        `intruders base --adapter ${type}`,
        new RegExp(`"${type}" is not`),
        /--tuned/,
      );
    }
    const whole = factors(names.up, 64, 40);
    const half = Object.entries(whole).filter(([name]) => name.includes("lora_A"));
    await writeAdapter(join(folder, "half"), {}, Object.fromEntries(half));
    await refuses(folder, "intruders base --adapter half", /part of the factors of \S+up_proj/);
    await writeAdapter(
      join(folder, "uneven"),
      {},
      { ...whole, [`${moduleOf(names.up)}.lora_B.weight`]: matrix(64, 3, 1) },
    );
    const uneven = /different ranks: \S+ is \[2, 40\], \S+ is \[64, 3\]/;
    await refuses(folder, "spectra base --adapter uneven", uneven);
    await refuses(folder, "diff uneven uneven", uneven);
    symlinkSync("circle", join(folder, "circle"));
    await refuses(folder, "intruders base --adapter circle", /missing-model-file/);
    const elsewhere = { base_model_name_or_path: "org/other" };
    await writeAdapter(join(folder, "named"), elsewhere, factors(names.up, 64, 40));
    const told = await spectune(folder, "spectra", "base", "--adapter", "named");
    assert.equal(told.code, 0);
    assert.match(told.err, /its base is org\/other[^]*adapter-names-another-base/);
  });
});

describe("a command line that cannot be meant", () => {
  it("is refused with what was wanted", async (t) => {
    const folder = await workspace(t);
    await writeAdapter(join(folder, "adapter"), {}, factors(names.up, 64, 40));
    await writeModel(join(folder, "empty"), {});
    for (const [args, ...words] of [
      ["intruders base", /give what was trained/],
      ["intruders --adapter adapter", /give the base first/],
      ["intruders base --adapter adapter --tuned base", /--adapter and --tuned say two things/],
      ["intruders base --adapter adapter --threshold 2", /--threshold takes a number[^]*not 2/],
      ["intruders base --adapter adapter --top 0", /--top takes a count[^]*not 0/],
      ["intruders base --adapter adapter --reference fp8", /official-fp16, not fp8/],
      ["intruders base --adapter adapter --matrices nothing", /empty-selection/, /nothing/],
      ["intruders base --adapter adapter --matrices (", /--matrices/],
      ["intruders base --adapter adapter --question original-tuned", /a quantized base/],
      ["intruders base --adapter adapter --quantized int2", /--quantized is nf4/],
      [
        "spectra base --matrices (.*)*(.*)*(.*)*=z",
        /--matrices: [^]*longer than[^]*regex-too-slow/,
      ],
      ["spectra empty", /empty-selection/],
      ["spectra nowhere", /nowhere/],
      ["intruders base --adapter nowhere", /nowhere/],
      ["intruders base --checkpoints base", /no checkpoint-\* folders/],
      ["intruders --run nothing", /no run "nothing"/],
      ["mitigate base --adapter adapter", /give --out/, /`spectune help mitigate` lists/],
      ["mitigate base --adapter adapter --out new --keep 3", /--keep takes a number[^]*not 3/],
      ["mitigate base --adapter adapter --out new --compress 2.5", /whole number[^]*not 2\.5/],
      ["mitigate base --adapter adapter --out new --which best", /top or all, not best/],
      ["mitigate base --out new", /give what was trained/],
      ["diff adapter nowhere --base base", /nowhere/],
      [
        "diff base base",
        /adapter_config\.json beside its weights; whole weights are what `spectune spectra`/,
      ],
      ["diff adapter adapter --base base --matrices nothing", /no matrix in common/],
    ] as const)
      await refuses(folder, args, ...words);
    assert(!existsSync(join(folder, "new")));
  });

  it("names the tensor that is not finite", async (t) => {
    const folder = await workspace(t);
    const W = matrix(64, 40, 2);
    W.data[41] = NaN;
    await writeModel(join(folder, "broken"), { ...base, [names.up]: W });
    const outcome = await spectune(folder, "intruders", "base", "--tuned", "broken");
    assert.equal(outcome.code, 2);
    assert.match(outcome.err, /layers\.0\.mlp\.up_proj\.weight[^]*NaN/);
  });
});

describe("a cache that was damaged", () => {
  it("is told of and made anew, with the same numbers", async (t) => {
    const folder = await workspace(t);
    await writeAdapter(join(folder, "adapter"), {}, factors(names.q, 192, 192));
    const args = ["intruders", "base", "--adapter", "adapter", "--exact", "--json"];
    const first = await spectune(folder, ...args);
    assert.deepEqual([first.code, first.err], [0, ""]);
    // From a decomposition that is kept the same bounds come by other products than from a new one.
    const fromCache = await spectune(folder, ...args, "--threshold", "0.49");
    assert.deepEqual([fromCache.code, fromCache.err], [0, ""]);
    const cache = join(folder, ".spectune-cache");
    const [kept] = readdirSync(cache, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith("-full.safetensors"),
    );
    const path = join(cache, kept ?? "");
    const bytes = readFileSync(path);
    for (const damage of [
      (file: Buffer) => file.subarray(0, file.length - 100),
      (file: Buffer) => Buffer.concat([file.subarray(0, -9), Buffer.from("spectune!")]),
      () => Buffer.alloc(0),
    ]) {
      writeFileSync(path, damage(bytes));
      // A result that is kept would need no cache.
      const again = await spectune(folder, ...args, "--threshold", "0.51");
      assert.equal(again.code, 0);
      assert.match(again.err, /made anew\. \[damaged-cache\]/);
      assert.equal(again.err.split("damaged-cache").length, 2);
      assert.deepEqual(readFileSync(path), bytes);
      for (const file of readdirSync(join(folder, ".spectune/analysis/base--adapter")))
        if (file.endsWith(".json") && !first.out.includes(file))
          writeFileSync(join(folder, ".spectune/analysis/base--adapter", file), "{}");
    }
    const whole = await spectune(folder, ...args, "--threshold", "0.52");
    assert.equal(whole.err, "");
    assert.deepEqual(boundsOf(whole.out), boundsOf(fromCache.out));
    const firstBounds = boundsOf(first.out);
    for (const [index, bound] of boundsOf(whole.out).entries())
      assert(Math.abs(bound - at(firstBounds, index)) < 1e-10);
  });
});

/** Bounds of all vectors, which hang on no threshold. */
function boundsOf(out: string): readonly number[] {
  const found = [...out.matchAll(/"(?:lower|upper)":([^,]*)/g)].map(([, value]) => Number(value));
  assert.equal(found.length, 20);
  return found;
}
