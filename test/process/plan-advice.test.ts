/** @file What `plan` and `run` say of an experiment that can be run, and hardly is what somebody meant. */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { lastLine, spectune } from "../support/command-line.ts";
import { makeWorkspace, tinyExperiment, tinyLlama } from "../support/workspace.ts";

/** What `plan` says beside its tables; it must have passed. */
async function toldOf(folder: string, ...set: readonly string[]): Promise<string> {
  const overrides = set.flatMap((each) => ["--set", each]);
  const { code, err } = await spectune(folder, "plan", "a.peft.yaml", ...overrides);
  assert.equal(code, 0, err);
  return err;
}

it("tells a wrong count of examples before anything is read", async (t) => {
  const folder = makeWorkspace(t);
  for (const options of [[], ["--json"]]) {
    const { code, err } = await spectune(
      folder,
      "plan",
      "none.yaml",
      "--examples",
      "2.5",
      ...options,
    );
    assert.equal(code, 2);
    assert.match(err, /--examples takes a whole number from 0 to \d+, not 2\.5/u);
    assert.match(err, /`spectune help plan` lists the options/u);
  }
});

describe("a column that looks meant and is not used", () => {
  const labelled = "text,label\nit was good,1\nit was bad,0\n";

  it("is named with the task, the format or the columns that use it", async (t) => {
    const folder = makeWorkspace(t);
    writeFileSync(join(folder, "spam.csv"), labelled);
    const train = ["data.train=spam.csv", "data.eval=null"];
    const told = await toldOf(folder, ...train);
    assert.match(told, /spam\.csv: warning: .*`label` is not used.*\[column-not-trained-on\]/u);
    assert.match(told, /task: sequence-classification.*bert or roberta/u);
    const run = await spectune(folder, "run", "a.peft.yaml", "--set", "data.train=spam.csv");
    assert.match(run.err, /column-not-trained-on/u);
    assert.doesNotMatch(await toldOf(folder, ...train, "data.format=text"), /column-not/u);
    writeFileSync(join(folder, "pairs.jsonl"), '{"text":"a","response":"b","id":1}\n'.repeat(9));
    assert.match(
      await toldOf(folder, "data.train=pairs.jsonl", "data.eval=null"),
      /columns: \{ prompt: text, completion: response \}/u,
    );
    writeFileSync(join(folder, "notes.jsonl"), '{"text":"a","id":1,"source":"b"}\n'.repeat(9));
    assert.doesNotMatch(
      await toldOf(folder, "data.train=notes.jsonl", "data.eval=null"),
      /column-not/u,
    );
  });
});

describe("a task that the model does not serve", () => {
  it("is refused at its line, with the models that serve it", async (t) => {
    const folder = makeWorkspace(t, `${tinyExperiment}task: sequence-classification\n`);
    const line = tinyExperiment.split("\n").length;
    for (const command of ["plan", "run"]) {
      const { code, err } = await spectune(folder, command, "a.peft.yaml");
      assert.equal(code, 2);
      assert.match(
        err,
        new RegExp(`a\\.peft\\.yaml:${line}:7: error: .*llama.*\\[unsupported-task\\]`),
      );
      assert.match(err, /\n {2}.*bert or roberta.*task: causal-lm/u);
    }
  });
});

describe("a length above the model's", () => {
  it("is lowered, and the model is named where it cuts", async (t) => {
    const folder = makeWorkspace(t);
    writeFileSync(
      join(folder, "long.jsonl"),
      `${JSON.stringify({ text: "x ".repeat(200) })}\n`.repeat(9),
    );
    const data = ["data.train=long.jsonl", "data.eval=null"];
    const told = await toldOf(folder, ...data, "data.max_length=999");
    const most = String(tinyLlama["max_position_embeddings"]);
    assert.match(
      told,
      new RegExp(
        `more than ${most} tokens, which is all that the model reads \\(.* 999 was lowered to it\\)`,
      ),
    );
    assert.doesNotMatch(told, /Raise/u);
    assert.match(
      await toldOf(folder, ...data, "data.max_length=20"),
      /more than 20 tokens and[^]*Raise/u,
    );
  });
});

describe("much to tokenize", () => {
  it("is told of while it goes on, by the plan and by the run", async (t) => {
    const folder = makeWorkspace(t);
    writeFileSync(join(folder, "book.txt"), `a\n${"x ".repeat(1_500_000)}\nb\n`);
    const data = ["data.train=book.txt", "data.eval=null", "data.max_length=20"];
    assert.match(await toldOf(folder, ...data), /^tokenizing book\.txt, at row 2$/mu);
    const set = data.flatMap((each) => ["--set", each]);
    const { code, err } = await spectune(folder, "run", "a.peft.yaml", ...set);
    assert.equal(code, 0, err);
    assert.match(err, /^tokenizing book\.txt, at row 2$/mu);
  });
});

describe("names that change nothing", () => {
  it("are warned of with the nearest that would", async (t) => {
    const told = await toldOf(
      makeWorkspace(t),
      "method.rank_pattern={q_prj: 2}",
      "method.alpha_pattern={q_proj: 2, nothing: 1}",
      "method.exclude_modules=[v_projj, o_proj]",
    );
    assert.match(told, /rank_pattern names `q_prj`.*\[pattern-without-match\]\n.*`q_proj`/u);
    assert.match(told, /alpha_pattern names `nothing`/u);
    assert.match(told, /exclude_modules names `v_projj`.*\[exclusion-without-match\]\n.*`v_proj`/u);
    assert.doesNotMatch(told, /names `(?:q_proj|o_proj)`/u);
  });
});

describe("tensors that config.json has no use for", () => {
  it("are named", async (t) => {
    const folder = makeWorkspace(t);
    assert.doesNotMatch(await toldOf(folder), /unused-tensors/u);
    rmSync(join(folder, "model/config.json"));
    const config = { ...tinyLlama, num_hidden_layers: 1 };
    writeFileSync(join(folder, "model/config.json"), JSON.stringify(config));
    assert.match(
      await toldOf(folder),
      /warning: .*no use for.*model\.layers\.1\.\S+ and \d+ more\. \[unused-tensors\]/u,
    );
  });
});

describe("weights of another model than config.json's", () => {
  it("are an error before the run", async (t) => {
    const folder = makeWorkspace(t);
    rmSync(join(folder, "model/config.json"));
    const config = { ...tinyLlama, num_hidden_layers: 3 };
    writeFileSync(join(folder, "model/config.json"), JSON.stringify(config));
    for (const command of ["check", "plan"]) {
      const { code, out, err } = await spectune(folder, command, "a.peft.yaml");
      assert.equal(code, 2);
      assert.match(out + err, /they lack model\.layers\.2\.\S+.* and \d+ more\./u);
    }
  });
});

describe("a data file in place of an experiment", () => {
  it("is told in one sentence", async (t) => {
    const folder = makeWorkspace(t);
    for (const command of ["check", "plan", "run"]) {
      const { code, out, err } = await spectune(folder, command, "train.jsonl");
      assert.equal(code, 2);
      assert.match(
        `${out}${err}`,
        /^error: train\.jsonl is no experiment file .*\n {2}.*\.peft\.yaml.*\n$/u,
      );
    }
  });
});

describe("files in another encoding", () => {
  it("are named with how to convert them: experiments, what they extend, and data", async (t) => {
    const folder = makeWorkspace(t);
    const write = (name: string, text: string, encoding: BufferEncoding): void => {
      writeFileSync(join(folder, name), Buffer.from(text, encoding));
    };
    write("wide.peft.yaml", `\ufeff${tinyExperiment}`, "utf16le");
    write("latin.peft.yaml", `# Modèle\n${tinyExperiment}`, "latin1");
    write("above.peft.yaml", "extends: latin.peft.yaml\n", "utf8");
    write("latin.jsonl", '{"text":"a"}\n{"text":"é"}\n', "latin1");
    const expected: readonly (readonly [string, RegExp])[] = [
      ["wide.peft.yaml", /wide\.peft\.yaml is UTF-16, not UTF-8/u],
      ["latin.peft.yaml", /latin\.peft\.yaml:1: error: .*Latin-1/u],
      ["above.peft.yaml", /above\.peft\.yaml:1:10: error: .*latin\.peft\.yaml` is not UTF-8/u],
    ];
    for (const [file, message] of expected)
      for (const command of ["check", "plan", "run"]) {
        const { code, out, err } = await spectune(folder, command, file);
        assert.equal(code, 2, `${command} ${file}`);
        assert.match(`${out}${err}`, message);
        assert.match(`${out}${err}`, /iconv -f/u);
        assert.doesNotMatch(`${out}${err}`, /\ufffd|is missing/u);
      }
    const { code, err } = await spectune(
      folder,
      "plan",
      "a.peft.yaml",
      "--set",
      "data.train=latin.jsonl",
    );
    assert.equal(code, 2);
    assert.match(err, /latin\.jsonl:2:10: error: .*Latin-1/u);
  });
});

describe("a plan", () => {
  it("tells memory in parts that add up, and none of nothing", async (t) => {
    const { out } = await spectune(makeWorkspace(t), "plan", "a.peft.yaml");
    const units: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9 };
    const rows = [...out.matchAll(/^(\w+) +([\d.,]+) (k?B|MB|GB)$/gmu)].map(
      ([, name = "", size = "", unit = ""]) =>
        [name, Number(size.replaceAll(",", "")) * (units[unit] ?? NaN)] as const,
    );
    const total = new Map(rows).get("total") ?? NaN;
    const parts = rows.filter(([name]) => name !== "total").map(([, size]) => size);
    assert.ok(rows.some(([name]) => name === "runtime"));
    assert.ok(parts.every((size) => size > 0));
    const sum = parts.reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(sum - total) < 0.01 * total, `${sum} of ${total}`);
    assert.match(out, /, 1 thread\. /u);
  });

  it("of a sweep plans each point, and the whole", async (t) => {
    const sweep = "sweep: { grid: { method.r: [1, 2] }, seeds: [0, 1] }\n";
    const folder = makeWorkspace(t, tinyExperiment + sweep);
    const { out, err } = await spectune(folder, "plan", "a.peft.yaml");
    assert.match(out, /^sweep +4 runs, about .* one after the other$/mu, err);
    const { points } = lastLine(await spectune(folder, "plan", "a.peft.yaml", "--json"));
    assert.ok(Array.isArray(points));
    const told = points.map(({ label, runs, trainableParameters }: Record<string, unknown>) => ({
      ...{ label, runs, trainableParameters },
    }));
    for (const [index, r] of [1, 2].entries()) {
      const alone = await spectune(
        folder,
        "plan",
        "a.peft.yaml",
        "--json",
        `--set=method.r=${r}`,
        "--set=sweep=null",
      );
      const { trainableParameters } = lastLine(alone);
      assert.deepEqual(told[index], { label: `r=${r}`, runs: 2, trainableParameters });
      assert.match(
        out,
        new RegExp(`^r=${r} +2 +${Number(trainableParameters).toLocaleString("en-US")} `, "mu"),
      );
    }
  });

  it("names the point of a sweep that cannot be planned", async (t) => {
    const sweep = "sweep: { grid: { data.too_long: [truncate, error] }, seeds: [0] }\n";
    const folder = makeWorkspace(t, tinyExperiment + sweep);
    const long = JSON.stringify({ prompt: "a".repeat(40), completion: "b".repeat(40) });
    writeFileSync(join(folder, "train.jsonl"), `${long}\n`);
    const { code, err } = await spectune(folder, "plan", "a.peft.yaml");
    assert.equal(code, 2);
    assert.match(err, /too_long=error: /u);
  });
});
