/** @file Short names for peft select what is meant, by peft's own rules, and nothing else. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  modulesOf,
  mostCommon,
  patternOf,
  savedModules,
  savedNames,
  targetNames,
} from "../../../../src/engine/exports/peft-names.ts";
import { patternValue } from "../../../../src/engine/methods/targets.ts";
import { fullMatch } from "../../../support/network.ts";

const parts = ["self_attn.q_proj", "self_attn.o_proj", "mlp.up_proj"];
const layers = [0, 1, 10, 11];
const linears = layers.flatMap((layer) => parts.map((part) => `model.layers.${layer}.${part}`));
const modules = modulesOf(
  [...linears, "model.embed_tokens", "model.norm", "model.layers.0.input_layernorm", "lm_head"].map(
    (module) => `${module}.weight`,
  ),
);

/** What a list of names selects, as peft compares them. */
function selected(names: readonly string[], saved: readonly string[] = []): readonly string[] {
  return modules.filter(
    (module) =>
      !saved.some((name) => new RegExp(`(^|.*\\.)${name}($|\\..*)`).test(module)) &&
      names.some((name) => module === name || module.endsWith(`.${name}`)),
  );
}

describe("target_modules", () => {
  const check = (chosen: readonly string[], names: readonly string[], saved?: string[]): void => {
    const made = targetNames(chosen, modules, saved ?? []);
    assert.deepEqual(made, names);
    assert.deepEqual(selected(made, saved).toSorted(), chosen.toSorted());
  };

  it("are last parts of names where all of them are meant", () => {
    check(
      linears.filter((name) => name.endsWith("q_proj")),
      ["q_proj"],
    );
  });

  it("are full names where some are not", () => {
    const some = ["model.layers.1.mlp.up_proj", "model.layers.11.mlp.up_proj"];
    check(some, some);
  });

  it("mix both", () => {
    const chosen = [
      ...linears.filter((name) => name.endsWith("o_proj")),
      "model.layers.1.mlp.up_proj",
    ];
    check(chosen, ["model.layers.1.mlp.up_proj", "o_proj"]);
  });

  it("leave out of account what is saved whole", () => {
    const chosen = linears.filter((name) => name.endsWith("up_proj") && !name.includes(".10."));
    check(chosen, ["up_proj"], ["model.layers.10"]);
  });
});

describe("rank_pattern", () => {
  it("gives each module its value by peft's matching", () => {
    const values = new Map(
      linears.map((module): [string, number] => [
        module,
        module.endsWith("o_proj") ? 2 : module === "model.layers.1.mlp.up_proj" ? 6 : 4,
      ]),
    );
    const common = mostCommon([...values.values()]);
    assert.equal(common, 4);
    const pattern = patternOf(values, common);
    assert.deepEqual(pattern, { "model.layers.1.mlp.up_proj": 6, o_proj: 2 });
    for (const [module, value] of values)
      assert.equal(patternValue(pattern, module, fullMatch) ?? common, value, module);
  });
});

describe("modules_to_save", () => {
  it("keeps a name that takes only modules of that name", () => {
    assert.deepEqual(savedNames(["lm_head"], modules), ["lm_head"]);
  });

  it("writes a name in full whose letters end another's", () => {
    const names = savedNames(["norm"], modules);
    assert.deepEqual(names, ["model.norm"]);
    assert.deepEqual(savedModules(names, modules), ["model.norm"]);
    assert.equal(savedModules(["norm"], modules).length, 2);
  });
});
