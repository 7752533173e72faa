/** @file Wrong input through the command line: exit code 2, one message with place and remedy, nothing written. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { isRecord } from "../../src/shared/wire.ts";
import { invariant } from "../../src/shared/errors.ts";
import { lastLine, runsOf, spectune, startSpectune } from "../support/command-line.ts";
import { makeWorkspace, tinyExperiment, tinyLlama, writeTinyModel } from "../support/workspace.ts";

interface Case {
  readonly name: string;
  /** Changes the workspace or the experiment's text. */
  readonly spoil: (folder: string, experiment: string) => string | undefined;
  readonly code: string;
  /** The message and its remedy. */
  readonly says: RegExp;
  /** The file that is named, with the line where there is one. */
  readonly place?: string;
}

/** A device that this platform never has. */
const elsewhere = process.platform === "darwin" ? "dml" : "coreml";

const weights = "model/model.safetensors";

/** Puts text in the experiment's place of other text. */
function put(from: string, to: string): Case["spoil"] {
  return (_folder, experiment) => {
    invariant(experiment.includes(from), `the experiment has no ${from}`);
    return experiment.replace(from, to);
  };
}

/** Writes a file of the workspace. */
function write(file: string, content: string | Uint8Array): Case["spoil"] {
  return (folder) => {
    writeFileSync(join(folder, file), content);
    return undefined;
  };
}

function config(change: Readonly<Record<string, unknown>>): Case["spoil"] {
  return write("model/config.json", JSON.stringify({ ...tinyLlama, ...change }));
}

/** A safetensors file of a header and data. */
function weightsFile(header: string, data: Uint8Array): Uint8Array {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(Buffer.byteLength(header)), true);
  return Buffer.concat([length, Buffer.from(header), data]);
}

/** Rewrites the weights' header and data. */
function spoilWeights(
  change: (header: Record<string, unknown>, data: Buffer) => Uint8Array | undefined,
): Case["spoil"] {
  return (folder) => {
    const path = join(folder, weights);
    const bytes = readFileSync(path);
    const end = 8 + Number(bytes.readBigUInt64LE());
    const header: unknown = JSON.parse(bytes.toString("utf8", 8, end));
    invariant(isRecord(header), "the header is no object");
    const data = bytes.subarray(end);
    const own = { ...header };
    writeFileSync(path, change(own, data) ?? weightsFile(JSON.stringify(own), data));
    return undefined;
  };
}

const down = "model.layers.1.mlp.down_proj.weight";

/** Offset of a tensor's first byte in the data. */
function offsetOf(header: Readonly<Record<string, unknown>>, name: string): number {
  const entry = header[name];
  invariant(isRecord(entry) && Array.isArray(entry["data_offsets"]), name);
  return Number(entry["data_offsets"][0]);
}

const cases: readonly Case[] = [
  {
    name: "a misspelt field",
    spoil: put("batch_size: 8", "batch_sise: 8"),
    code: "unknown-field",
    says: /batch_sise[^]*batch_size/,
    place: "a.peft.yaml:5:",
  },
  {
    name: "a wrong type",
    spoil: put("batch_size: 8", "batch_size: [8]"),
    code: "wrong-type",
    says: /batch_size/,
    place: "a.peft.yaml:5:",
  },
  {
    name: "more epochs than anything could run",
    spoil: put("max_steps: 2", "num_train_epochs: 1.0e308"),
    code: "out-of-bounds",
    says: /num_train_epochs[^]*at most 1000000/,
    place: "a.peft.yaml:5:",
  },
  {
    name: "more steps than anything could run",
    spoil: put("max_steps: 2", "max_steps: 1000000000000"),
    code: "out-of-bounds",
    says: /max_steps[^]*at most 1000000000/,
    place: "a.peft.yaml:5:",
  },
  {
    name: "more memory than the machine has",
    spoil: put("r: 4", "r: 100000000"),
    code: "memory-over-machine",
    says: /takes about [\d.]+ GB of memory; this machine has [\d.]+ GB[^]*over_memory: allow/,
    place: "a.peft.yaml:5:",
  },
  {
    name: "an experiment that is no YAML",
    spoil: put("data: {", "data: [{"),
    code: "yaml-syntax",
    says: /error/,
    place: "a.peft.yaml:",
  },
  {
    name: "targets that match nothing",
    spoil: put("all-linear", "[query, value]"),
    code: "no-target-matches",
    says: /query[^]*q_proj/,
    place: "a.peft.yaml:4:",
  },
  {
    name: "targets of which only some match",
    spoil: put("all-linear", "[q_proj, v_prj]"),
    code: "target-without-match",
    says: /v_prj[^]*v_proj/,
    place: "a.peft.yaml:4:",
  },
  {
    name: "an expression that is none",
    spoil: put("all-linear", "'(q_proj'"),
    code: "regex-invalid",
    says: /\(q_proj/,
    place: "a.peft.yaml:4:56: ",
  },
  {
    name: "an expression that takes for ever",
    spoil: put("all-linear", "'(([a-z_.0-9]+)+)+!'"),
    code: "regex-too-slow",
    says: /took|time|long|slow/,
    place: "a.peft.yaml:4:56: ",
  },
  {
    name: "full fine-tuning of a quantized base",
    spoil: put(
      "method: { type: lora, r: 4, alpha: 2r, target_modules: all-linear }",
      "method: full\nquantization: nf4",
    ),
    code: "quantized-base-changes",
    says: /quantiz/,
  },
  {
    name: "a device that is not offered",
    spoil: put("threads: 1", `device: ${elsewhere}`),
    code: "device-not-in-build",
    says: /run\.device/,
  },
  {
    name: "a metric without a meaning",
    spoil: put("every: end", "every: end, metrics: [pearson]"),
    code: "metric-not-for-task",
    says: /pearson/,
  },
  {
    name: "an experiment that is not there",
    spoil: () => undefined,
    code: "no-such-file",
    says: /b\.peft\.yaml/,
  },
  {
    name: "a model that is not there",
    spoil: put("./model", "./modle"),
    code: "model-not-found",
    says: /modle/,
  },
  {
    name: "training data that are not there",
    spoil: put("./train.jsonl", "./trian.jsonl"),
    code: "missing-data-file",
    says: /trian\.jsonl/,
  },
  {
    name: "test data that are not there",
    spoil: put("eval: ./eval.jsonl", "eval: ./eval.jsonl, test: ./tset.jsonl"),
    code: "no-such-file",
    says: /tset\.jsonl/,
  },
  {
    name: "empty data",
    spoil: write("train.jsonl", "\n\n"),
    code: "empty-data",
    says: /no rows/,
    place: "train.jsonl",
  },
  {
    name: "a malformed line",
    spoil: write("train.jsonl", '{"prompt":"a","completion":"b"}\n{"prompt":\n'),
    code: "malformed-data",
    says: /JSON/,
    place: "train.jsonl:2",
  },
  {
    name: "a line without the column",
    spoil: write("train.jsonl", '{"prompt":"a","completion":"b"}\n{"prompt":"a"}\n'),
    code: "missing-column",
    says: /completion/,
    place: "train.jsonl:2",
  },
  {
    name: "evaluation data with a malformed line",
    spoil: write("eval.jsonl", '{"prompt":"a","completion":"b"}\n[]\n'),
    code: "malformed-data",
    says: /object|column/,
    place: "eval.jsonl:2",
  },
  {
    name: "an example longer than allowed",
    spoil: (folder, experiment) => {
      write("train.jsonl", `{"prompt":"${"a".repeat(70)}","completion":"b"}\n`)(folder, experiment);
      return put("max_length: 64", "max_length: 64, too_long: error")(folder, experiment);
    },
    code: "example-too-long",
    says: /too_long/,
    place: "train.jsonl:1",
  },
  {
    name: "a length that the model cannot read",
    spoil: put("max_length: 64", "max_length: 65, too_long: error"),
    code: "longer-than-model",
    says: /65[^]*64/,
  },
  {
    name: "an unknown architecture",
    spoil: config({ model_type: "mamba" }),
    code: "unknown-architecture",
    says: /mamba[^]*llama/,
    place: "config.json",
  },
  {
    name: "an unsupported value of the configuration",
    spoil: config({ rope_scaling: { rope_type: "yarn", factor: 2 } }),
    code: "unsupported-model-config",
    says: /yarn/,
    place: "config.json",
  },
  {
    name: "a configuration that is no JSON",
    spoil: write("model/config.json", "{"),
    code: "malformed-json",
    says: /JSON/,
    place: "config.json",
  },
  {
    name: "a model without a tokenizer",
    spoil: (folder) => {
      rmSync(join(folder, "model/tokenizer.json"));
      return undefined;
    },
    code: "missing-tokenizer",
    says: /tokenizer\.json/,
  },
  {
    name: "a tokenizer that exceeds the embedding",
    spoil: config({ vocab_size: 200 }),
    code: "tokenizer-exceeds-embedding",
    says: /261[^]*200/,
  },
  {
    name: "weights that are not there",
    spoil: (folder) => {
      rmSync(join(folder, weights));
      return undefined;
    },
    code: "weights-not-found",
    says: /safetensors/,
  },
  {
    name: "truncated weights",
    spoil: (folder) => {
      truncateSync(join(folder, weights), 60_000);
      return undefined;
    },
    code: "truncated-weights",
    says: /bytes/,
    place: "model.safetensors",
  },
  {
    name: "a header that claims to be huge",
    spoil: spoilWeights(() => new Uint8Array(64).fill(0x7f)),
    code: "weights-header-too-large",
    says: /header/,
    place: "model.safetensors",
  },
  {
    name: "tensors that overlap",
    spoil: spoilWeights((header) => {
      const entry = header[down];
      invariant(isRecord(entry) && Array.isArray(entry["data_offsets"]), down);
      const [from, to] = entry["data_offsets"].map(Number);
      header[down] = { ...entry, data_offsets: [(from ?? 0) - 8, (to ?? 0) - 8] };
      return undefined;
    }),
    code: "overlapping-tensors",
    says: /overlap|offset|byte/,
    place: "model.safetensors",
  },
  {
    name: "a missing tensor",
    spoil: (folder) => {
      writeTinyModel(join(folder, "model"), tinyLlama, "causal-lm", /layers\.1\.mlp\.down_proj/);
      return undefined;
    },
    code: "missing-tensor",
    says: /layers\.1\.mlp\.down_proj/,
  },
  {
    name: "a tensor of another shape",
    spoil: config({ intermediate_size: 40 }),
    code: "tensor-shape",
    says: /\[48, 32\][^]*\[40, 32\]/,
    place: "model.safetensors",
  },
  {
    name: "a missing shard",
    spoil: (folder) => {
      const index = { metadata: {}, weight_map: { [down]: "model-00002-of-00002.safetensors" } };
      rmSync(join(folder, weights));
      writeFileSync(join(folder, "model/model.safetensors.index.json"), JSON.stringify(index));
      return undefined;
    },
    code: "missing-shard",
    says: /model-00002-of-00002/,
  },
  {
    name: "NaN in a frozen weight",
    spoil: spoilWeights((header, data) => {
      data.writeFloatLE(NaN, offsetOf(header, down) + 4 * 49);
      return undefined;
    }),
    code: "non-finite-weights",
    says: /down_proj[^]*\[1, 1\]/,
    place: "model.safetensors",
  },
  {
    name: "an infinite weight in full fine-tuning",
    spoil: (folder, experiment) => {
      spoilWeights((header, data) => {
        data.writeFloatLE(-Infinity, offsetOf(header, "model.norm.weight"));
        return undefined;
      })(folder, experiment);
      return put("{ type: lora, r: 4, alpha: 2r, target_modules: all-linear }", "full")(
        folder,
        experiment,
      );
    },
    code: "non-finite-weights",
    says: /model\.norm\.weight[^]*\[0\]/,
    place: "model.safetensors",
  },
];

describe("wrong input to a run", () => {
  for (const { name, spoil, code, says, place } of cases)
    it(name, async (t) => {
      const folder = makeWorkspace(t);
      const changed = spoil(folder, tinyExperiment);
      if (changed !== undefined) writeFileSync(join(folder, "a.peft.yaml"), changed);
      const file = name === "an experiment that is not there" ? "b.peft.yaml" : "a.peft.yaml";
      const { code: exit, out, err } = await spectune(folder, "run", file, "--json");
      assert.equal(exit, 2, err);
      assert.equal(out, "");
      assert.match(err, says);
      assert.ok(err.includes(`[${code}]`), err);
      if (place !== undefined) assert.ok(err.includes(place), err);
      // A remedy stands below, indented; a message of what must stand there is its own.
      if (!["wrong-type", "out-of-bounds"].includes(code)) assert.match(err, /\n {2}\S/);
      assert.doesNotMatch(err, /defect of Spectune|\n\s+at /);
      for (const line of err.split("\n")) {
        const paths = line.match(/(?:[\w.-]*[/\\]){2,}[\w-]+(?:\.\w+)*/gu) ?? [];
        assert.equal(new Set(paths).size, paths.length, `a path twice: ${line}`);
      }
      assert.equal(existsSync(join(folder, ".spectune")), false);
    });
});

/** What only reading the weights themselves, or tokenizing every example, can tell; and what a check but warns of. */
const runAlone: readonly string[] = [
  "more memory than the machine has",
  "a line without the column",
  "a missing tensor",
  "a tensor of another shape",
  "a model without a tokenizer",
  "a tokenizer that exceeds the embedding",
  "an example longer than allowed",
  "a length that the model cannot read",
  "NaN in a frozen weight",
  "an infinite weight in full fine-tuning",
];

describe("wrong input to a check", () => {
  for (const { name, spoil } of cases)
    it(name, async (t) => {
      const folder = makeWorkspace(t);
      const changed = spoil(folder, tinyExperiment);
      if (changed !== undefined) writeFileSync(join(folder, "a.peft.yaml"), changed);
      const file = name === "an experiment that is not there" ? "b.peft.yaml" : "a.peft.yaml";
      const { code, out, err } = await spectune(folder, "check", file);
      assert.equal(code, runAlone.includes(name) ? 0 : 2, out + err);
      assert.equal(existsSync(join(folder, ".spectune")), false);
    });

  it("is said for machines with its place and its fix, and not where a comment silences it", async (t) => {
    const wrong = tinyExperiment.replace("all-linear", "[q_proj, v_prj]");
    const folder = makeWorkspace(t, wrong);
    const told = lastLine(await spectune(folder, "check", "a.peft.yaml", "--json"));
    assert.equal(told["valid"], false);
    assert.match(
      JSON.stringify(told["findings"]),
      /"code":"target-without-match","severity":"error"[^\]]*"line":4,"column":\d+,[^\]]*"fix":\{"title":"Write `v_proj`"/u,
    );
    const silenced = wrong.replace("\ntrain:", " # spectune-ignore: target-without-match\ntrain:");
    writeFileSync(join(folder, "a.peft.yaml"), silenced);
    assert.equal((await spectune(folder, "check", "a.peft.yaml")).code, 0);
  });
});

describe("wrong arguments", () => {
  it("are refused with the nearest command or option", async (t) => {
    const folder = makeWorkspace(t);
    const command = await spectune(folder, "rnu", "a.peft.yaml");
    assert.equal(command.code, 2);
    assert.match(command.err, /no command rnu[^]*\brun\b/);
    const option = await spectune(folder, "run", "a.peft.yaml", "--jsom");
    assert.equal(option.code, 2);
    assert.match(option.err, /--jsom[^]*--json/);
    const override = await spectune(folder, "run", "a.peft.yaml", "--set", "train.leraning_rate=1");
    assert.equal(override.code, 2);
    assert.match(override.err, /leraning_rate[^]*learning_rate/);
    const asked = await spectune(folder, "help", "plam");
    assert.equal(asked.code, 2);
    assert.match(asked.err, /no command plam[^]*plan/u);
    assert.match((await spectune(folder, "check", "/dev/zero")).err, /is not a file/u);
    writeFileSync(join(folder, "endless.peft.yaml"), "extends: /dev/zero\n");
    assert.match((await spectune(folder, "check", "endless.peft.yaml")).out, /\/dev\/zero/u);
    for (const beside of [["a.peft.yaml"], ["--set", "train.max_steps=9"]]) {
      const changed = await spectune(folder, "run", "--resume", "nothing", ...beside);
      assert.equal(changed.code, 2);
      assert.match(changed.err, /beside it has no meaning/u);
    }
    const run = await spectune(folder, "run", "--resume", "nothing");
    assert.equal(run.code, 2);
    assert.match(run.err, /no run "nothing"/);
    assert.equal(existsSync(join(folder, ".spectune")), false);
  });

  it("are said in our words, with the command that they belong to", async (t) => {
    const folder = makeWorkspace(t);
    const told = async (...args: readonly string[]): Promise<string> => {
      const { code, err } = await spectune(folder, "generate", "x", "--prompt", "a", ...args);
      assert.equal(code, 2);
      return err;
    };
    assert.match(await told("--temperature", "-1"), /--temperature takes a number.*not -1\./u);
    assert.match(await told("--temperature=-1"), /not -1\.[^]*`spectune help generate`/u);
    assert.match(
      await told("--model", "--json"),
      /what follows --model begins with a dash[^]*--model=VALUE/u,
    );
    assert.match(await told("--stop", ""), /--stop takes the text that ends/u);
  });

  it("end a process of its own with code 2, too", async (t) => {
    const folder = makeWorkspace(t);
    const { code, err } = await startSpectune(t, folder, "run", "c.peft.yaml").end;
    assert.equal(code, 2);
    assert.match(err, /c\.peft\.yaml/);
  });
});

describe("odd input to a run", () => {
  it("is a warning where the run has a meaning: a rank above the dimensions", async (t) => {
    const folder = makeWorkspace(t, tinyExperiment.replace("r: 4", "r: 40"));
    const { code, err } = await spectune(folder, "run", "a.peft.yaml", "--json");
    assert.equal(code, 0, err);
    assert.match(
      err,
      /warning: Rank 40 is above [^]* and at \d+ other modules: the effective rank is 32 there/,
    );
  });
});

const mayMount = process.platform === "linux" && process.getuid?.() === 0;

describe("more memory than the machine has", () => {
  const tooMuch = ["--set", "method.r=100000000"];

  it("is a warning of the plan and of the check, at its place", async (t) => {
    const folder = makeWorkspace(t);
    for (const command of ["check", "plan"]) {
      const { code, out, err } = await spectune(folder, command, "a.peft.yaml", ...tooMuch);
      assert.equal(code, 0, err);
      assert.match(`${out}${err}`, /a\.peft\.yaml:5:1: warning: .*\[memory-over-machine\]/u);
    }
  });
});

describe("a stop before the first step", () => {
  it("ends the process in seconds, and leaves nothing behind", async (t) => {
    const folder = makeWorkspace(t);
    const row = JSON.stringify({ text: "b ".repeat(2_000_000) });
    writeFileSync(join(folder, "long.jsonl"), `${row}\n`.repeat(6));
    const run = ["run", "a.peft.yaml", "--set", "data.train=long.jsonl", "--set", "data.eval=null"];
    const { process: child, end } = startSpectune(t, folder, ...run);
    let asked = false;
    child.stderr?.on("data", (data: Buffer) => {
      if (asked || !data.includes("tokenizing")) return;
      asked = child.kill("SIGTERM");
    });
    const { code, err } = await end;
    assert.equal(code, 130, err);
    assert.match(err, /^Stopped before the first step; nothing was written\.$/mu);
    assert.equal(existsSync(join(folder, ".spectune")), false);
  });
});

describe("a disk that fills up", { skip: !mayMount }, () => {
  it("ends the run with code 2, and it can be resumed", async (t) => {
    const folder = makeWorkspace(
      t,
      tinyExperiment
        .replace("{ type: lora, r: 4, alpha: 2r, target_modules: all-linear }", "full")
        .concat("checkpoints: { every: 1 steps }\n"),
    );
    const disk = join(folder, ".spectune");
    mkdirSync(disk);
    if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=160k", "tmpfs", disk]).status !== 0) {
      t.skip("no right to mount");
      return;
    }
    try {
      const full = await spectune(folder, "run", "a.peft.yaml", "--json");
      assert.equal(full.code, 2, full.err);
      assert.match(full.err, /\[no-space-left\][^]*resume/);
      const [run] = runsOf(folder);
      invariant(run, "there is no run folder");
      assert.equal(spawnSync("mount", ["-o", "remount,size=64m", disk]).status, 0);
      const resumed = await spectune(folder, "run", "--resume", run, "--json");
      assert.equal(resumed.code, 0, resumed.err);
      assert.equal(lastLine(resumed)["status"], "finished");
    } finally {
      spawnSync("umount", ["-l", disk]);
    }
  });
});
