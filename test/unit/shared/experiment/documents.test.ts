/** @file Documents made of several: `extends`, overrides, and the rule by which they merge. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readExperiment } from "../../../../src/shared/experiment/normalise.ts";
import { join as joinPath, relativeTo } from "../../../../src/shared/experiment/paths.ts";
import { experimentOf, read, complete, told } from "./read.ts";
import { smallCatalog } from "./small-catalog.ts";

function withFiles(files: Readonly<Record<string, string>>, file: string) {
  const asked: string[] = [];
  const result = readExperiment({
    file,
    text: files[file] ?? "",
    catalog: smallCatalog,
    provider: (path) => {
      asked.push(path);
      return files[path];
    },
  });
  return { ...result, asked };
}

const base = complete(
  "model: { id: m, revision: abc }\nmethod: { type: lora, r: 4, target_modules: [a, b] }\ntrain: { optimizer: { type: sgd, momentum: 0.9 }, seed: 3 }",
);

describe("extends", () => {
  it("merges maps field by field, and replaces lists and single values", () => {
    const { experiment, findings } = withFiles(
      {
        "base.yaml": base,
        "x.yaml":
          "extends: ./base.yaml\nmethod: { r: 8, target_modules: [c] }\ntrain: { seed: null }",
      },
      "x.yaml",
    );
    assert.deepEqual(told(findings), []);
    assert.deepEqual(experiment?.method[0]?.config, { r: 8, alpha: 16, use_rslora: false });
    assert.deepEqual(experiment.method[0].target_modules, ["c"]);
    assert.equal(experiment.train.optimizer.config["momentum"], 0.9);
    assert.equal(experiment.train.seed, 0);
    assert.equal(experiment.model.revision, "abc");
  });

  it("replaces maps of free names, such as patterns and grids", () => {
    const { experiment } = withFiles(
      {
        "base.yaml": complete(
          "method: { type: lora, rank_pattern: { a: 1, b: 2 } }\nsweep: { grid: { train.seed: [1] } }",
        ),
        "x.yaml":
          "extends: base.yaml\nmethod: { rank_pattern: { b: 3 } }\nsweep: { grid: { method.r: [1] } }",
      },
      "x.yaml",
    );
    assert.deepEqual(experiment?.method[0]?.rank_pattern, { b: 3 });
    assert.deepEqual(experiment.sweep?.grid, { "method.r": [1] });
  });

  it("replaces a variant of another type whole, and keeps one of the same", () => {
    const files = { "base.yaml": base };
    const dora = withFiles({ ...files, "x.yaml": "extends: base.yaml\nmethod: dora" }, "x.yaml");
    assert.equal(dora.experiment?.method[0]?.config["rank"], 8);
    const lora = withFiles({ ...files, "x.yaml": "extends: base.yaml\nmethod: lora" }, "x.yaml");
    assert.equal(lora.experiment?.method[0]?.config["r"], 4);
  });

  it("reads foreign names and short forms before it merges", () => {
    const { experiment } = withFiles(
      { "base.yaml": base, "x.yaml": "extends: base.yaml\nlora_r: 2\ntrain: { optimizer: sgd }" },
      "x.yaml",
    );
    assert.equal(experiment?.method[0]?.config["r"], 2);
    assert.equal(experiment.train.optimizer.config["momentum"], 0.9);
  });

  it("keeps paths meant from the file that says them", () => {
    const { experiment, asked } = withFiles(
      {
        "runs/x.yaml": "extends: ../shared/base.yaml",
        "shared/base.yaml":
          "version: 1\nextends: deep/most.yaml\nmodel: ./m\nmethod: { type: lora, from: /abs/a }",
        "shared/deep/most.yaml": "data: { train: ./t.csv, eval: ../e.csv }",
      },
      "runs/x.yaml",
    );
    assert.deepEqual(asked, ["shared/base.yaml", "shared/deep/most.yaml"]);
    assert.equal(experiment?.model.id, "../shared/m");
    assert.equal(experiment.data.train, "../shared/deep/t.csv");
    assert.equal(experiment.data.eval, "../shared/e.csv");
    assert.equal(experiment.method[0]?.from, "/abs/a");
  });

  it("puts findings into the file that they are about", () => {
    const { findings } = withFiles(
      { "base.yaml": `${base}\nquux: 1`, "x.yaml": "extends: base.yaml\ntrain: { quux: 1 }" },
      "x.yaml",
    );
    assert.deepEqual(
      findings.map(({ code, place: { file, line } }) => [code, file, line]),
      [
        ["unknown-field", "x.yaml", 2],
        ["unknown-field", "base.yaml", 7],
      ],
    );
  });

  it("says of a file that cannot be read what it is, and judges nothing that it would have said", () => {
    const { findings } = readExperiment({
      file: "x.yaml",
      text: "extends: .\nmethod: lora\ntrain: { quux: 1 }",
      catalog: smallCatalog,
      provider: () => ({ is: "a folder", remedy: "Name a file." }),
    });
    assert.deepEqual(told(findings), ["extends-missing extends", "unknown-field train.quux"]);
    assert.match(findings[0]?.message ?? "", /is a folder/);
    assert.equal(findings[0]?.remedy, "Name a file.");
  });

  it("names control characters of keys instead of passing them on", () => {
    const { findings } = read(complete('"\\0\\e[31m": 1'));
    assert.match(findings[0]?.message ?? "", /`\\0\\x1b\[31m`/);
    assert.doesNotMatch(
      JSON.stringify(findings.map(({ message, fix }) => [message, fix?.title])),
      /\\u00/,
    );
  });

  it("ends at circles, at missing files and after ten files", () => {
    const circle = withFiles(
      { "a.yaml": "extends: b.yaml", "b.yaml": "extends: ./a.yaml" },
      "a.yaml",
    );
    assert.ok(told(circle.findings).includes("extends-cycle extends"));
    const missing = withFiles({ "a.yaml": "extends: b.yaml" }, "a.yaml");
    assert.ok(told(missing.findings).includes("extends-missing extends"));
    const chain = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`${index}.yaml`, `extends: ${index + 1}.yaml`]),
    );
    const deep = withFiles(chain, "0.yaml");
    assert.ok(told(deep.findings).includes("extends-too-deep extends"));
    assert.equal(deep.asked.length, 9);
  });
});

describe("overrides", () => {
  it("set fields, make maps on the way and open short forms", () => {
    const { method, train } = experimentOf("method: lora", [
      "method.r=32",
      "train.optimizer.weight_decay=0.1",
      "train.warmup_steps=0.1",
      "method.target_modules=[q_proj, v_proj]",
    ]);
    assert.equal(method[0]?.config["r"], 32);
    assert.deepEqual(method[0].target_modules, ["q_proj", "v_proj"]);
    assert.equal(train.optimizer.config["weight_decay"], 0.1);
    assert.equal(train.warmup_steps, 0.1);
  });

  it("replace whole sections, and later ones win", () => {
    const { method } = experimentOf("method: { type: lora, r: 4 }", [
      "method={type: dora, r: 2}",
      "method.r=3",
    ]);
    assert.equal(method[0]?.config["rank"], 3);
  });

  it("count before the file by another name, too", () => {
    const file = "method: { type: dora, r: 4 }\ntrain: { batch_size: 8, learning_rate: 0.1 }";
    const set = ["lora_r=5", "method.rank=6", "learning_rate=0.2"];
    for (const [overrides, r] of [
      [set.slice(0, 1), 5],
      [set, 6],
      [set.toReversed(), 5],
      [["lora_r=5", "method.r=7"], 7],
    ] as const) {
      const { method } = experimentOf(file, overrides);
      assert.deepEqual([method[0]?.type, method[0]?.config["rank"]], ["dora", r]);
    }
    assert.equal(experimentOf(file, set).train.learning_rate, 0.2);
    assert(!read(complete(file), set).findings.some(({ code }) => code === "said-twice"));
  });

  it("set one item of a list", () => {
    const { method } = experimentOf("method: [lora, { type: dora, r: 2 }]", ["method.1.r=5"]);
    assert.equal(method[1]?.config["rank"], 5);
  });

  it("are checked like the file, at a place of their own", () => {
    const { findings } = read(complete(""), [
      "train.seed=-1",
      "train.sed=1",
      "nonsense",
      "data.train.x=1",
      "train.batch_size=",
    ]);
    assert.deepEqual(
      findings.map(({ code, place: { file } }) => `${code} in ${file}`),
      [
        "bad-override in --set nonsense",
        "bad-override in --set data.train.x=1",
        "bad-override in --set train.batch_size=",
        "unknown-field in --set train.sed=1",
        "out-of-bounds in --set train.seed=-1",
      ],
    );
  });
});

describe("paths", () => {
  it("join and are told from elsewhere", () => {
    assert.equal(joinPath("a/b", "../c.yaml"), "a/c.yaml");
    assert.equal(joinPath("", "./c.yaml"), "c.yaml");
    assert.equal(joinPath("a", "/c.yaml"), "/c.yaml");
    assert.equal(joinPath("/a", "../../c"), "/c");
    assert.equal(joinPath("..", "../c"), "../../c");
    assert.equal(relativeTo("runs", "shared/a.csv"), "../shared/a.csv");
    assert.equal(relativeTo("", "shared/a.csv"), "./shared/a.csv");
    assert.equal(relativeTo("/x/y", "/x/z"), "../z");
    assert.equal(relativeTo("runs", "/z"), "/z");
  });
});

describe("the examples", () => {
  const folder = join(import.meta.dirname, "../../../golden/experiment/files");
  const expected = { a: [], b: [], c: [] };
  for (const [name, codes] of Object.entries(expected))
    it(`${name}.peft.yaml has nothing wrong`, () => {
      const file = `${name}.peft.yaml`;
      const provider = (path: string) => readFileSync(join(folder, path), "utf8");
      const { experiment, findings } = readExperiment({
        file,
        text: provider(file),
        catalog: smallCatalog,
        provider,
      });
      assert.deepEqual(told(findings), codes);
      assert.ok(experiment !== undefined);
    });
});
