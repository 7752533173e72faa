/** @file What `mitigate` writes of fused projections that were cut, of tables, and of everything else that an adapter holds. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { isRecord } from "../../../src/shared/wire.ts";
import { openWeights } from "../../../src/engine/weights/weight-source.ts";
import type { Tensors } from "../../unit/engine/lab/folders.ts";
import { matrix, writeAdapter, writeModel } from "../../unit/engine/lab/folders.ts";
import { asked, list, plus, workspace } from "./small-models.ts";

const name = "model.layers.0.attn.qkv_proj.weight";
const W = matrix(192, 64, 7);
const config = { model_type: "phi3", num_attention_heads: 4, num_key_value_heads: 4 };
const [A, B] = [matrix(2, 64, 5), matrix(192, 2, 6)];
const pair: Tensors = {
  "base_model.model.model.layers.0.attn.qkv_proj.lora_A.weight": A,
  "base_model.model.model.layers.0.attn.qkv_proj.lora_B.weight": B,
};
const mitigate = "mitigate fused --split-qkv --keep 0 --which all --out less".split(" ");

describe("a fused projection that was cut", () => {
  for (const [option, rankAfter] of [
    ["--adapter", 8],
    ["--tuned", undefined],
  ] as const)
    it(`is scaled in the rows of each part: ${option}`, async (t) => {
      const folder = await workspace(t);
      await writeModel(join(folder, "fused"), { [name]: W }, config);
      await writeAdapter(join(folder, "--adapter"), { lora_alpha: 20 }, pair);
      await writeModel(join(folder, "--tuned"), { [name]: plus(W, B, A, 10) }, config);
      const json = await asked(folder, ...mitigate, option, join(folder, option));
      const records = list(json["matrices"]);
      assert.equal(records.length, 3);
      for (const record of records) {
        assert.deepEqual(record["indices"], [0, 1]);
        assert.equal(record["rankAfter"] ?? undefined, rankAfter);
      }
      const intruders = ["intruders", "fused", "--split-qkv", option];
      assert.equal((await asked(folder, ...intruders, join(folder, option)))["total"], 6);
      assert.equal((await asked(folder, ...intruders, "less"))["total"], 0);
      const control = join("less", "control-neighbour");
      assert.equal((await asked(folder, ...intruders, control))["total"], 6);
    });

  it("is compressed as the one module that it is", async (t) => {
    const folder = await workspace(t);
    await writeModel(join(folder, "fused"), { [name]: W }, config);
    await writeAdapter(join(folder, "adapter"), { lora_alpha: 20 }, pair);
    const json = await asked(folder, ...mitigate, "--adapter", "adapter", "--compress", "3");
    for (const record of list(json["matrices"])) {
      assert.equal(record["rankAfter"], 3);
      assert(Number(record["compressionLoss"]) > 0);
    }
    const source = await openWeights(join(folder, "less", "adapter_model.safetensors"));
    t.after(source.close);
    const shapes = [...source.tensors.values()].map(({ shape }) => shape);
    assert.deepEqual(
      shapes.toSorted((a, b) => Number(a[0]) - Number(b[0])),
      [
        [3, 64],
        [192, 3],
      ],
    );
  });
});

const table = "model.embed_tokens.weight";

it("the pair of a table is scaled as any other", async (t) => {
  const folder = await workspace(t);
  await writeModel(join(folder, "words"), { [table]: matrix(90, 40, 4) });
  await writeAdapter(
    join(folder, "adapter"),
    { lora_alpha: 40, target_modules: ["embed_tokens"] },
    {
      "base_model.model.model.embed_tokens.lora_embedding_A": matrix(2, 90, 5),
      "base_model.model.model.embed_tokens.lora_embedding_B": matrix(40, 2, 6),
    },
  );
  const one = ["words", "--matrices", "embed", "--adapter"];
  assert.equal((await asked(folder, "intruders", ...one, "adapter"))["total"], 2);
  const how = ["--keep", "0", "--which", "all", "--out", "less"];
  await asked(folder, "mitigate", ...one, "adapter", ...how);
  assert.equal((await asked(folder, "intruders", ...one, "less"))["total"], 0);
  const [compared] = list((await asked(folder, "diff", "adapter", "less"))["matrices"]);
  assert.deepEqual([compared?.["name"], compared?.["ranks"]], [table, [2, 4]]);
});

it("ranks of scaled modules stand before the adapter's own patterns", async (t) => {
  const folder = await workspace(t);
  const module = "model.layers.0.mlp.up_proj";
  await writeModel(join(folder, "plain"), { [`${module}.weight`]: matrix(64, 40, 2) });
  const patterns = { rank_pattern: { "up_.*": 2 }, alpha_pattern: { "up_.*": 40 } };
  await writeAdapter(
    join(folder, "adapter"),
    { r: 9, target_modules: ["up_proj"], ...patterns },
    {
      [`base_model.model.${module}.lora_A.weight`]: matrix(2, 40, 5),
      [`base_model.model.${module}.lora_B.weight`]: matrix(64, 2, 6),
    },
  );
  const how = ["plain", "--adapter", "adapter", "--keep", "0", "--which", "all", "--out", "less"];
  const json = await asked(folder, "mitigate", ...how);
  assert.equal(json["form"], "adapter");
  const [record] = list(json["matrices"]);
  const config: unknown = JSON.parse(
    readFileSync(join(folder, "less", "adapter_config.json"), "utf8"),
  );
  assert(isRecord(config) && isRecord(config["rank_pattern"]));
  assert.deepEqual(Object.entries(config["rank_pattern"]), [
    [module, record?.["rankAfter"]],
    ["up_.*", 2],
  ]);
});

it("merged weights hold what the adapter trained beside the matrices that were looked at", async (t) => {
  const folder = await workspace(t);
  const layer = "model.layers.0.mlp.up_proj";
  const [head, vector] = [matrix(9, 4, 21), matrix(1, 64, 22)];
  const norm = "model.norm.weight";
  await writeModel(join(folder, "whole"), {
    [`${layer}.weight`]: matrix(64, 40, 2),
    [table]: matrix(9, 4, 4),
    [norm]: vector,
  });
  asVector(join(folder, "whole", "model.safetensors"), 64);
  await writeAdapter(
    join(folder, "dora"),
    { lora_alpha: 40, use_dora: true, target_modules: ["up_proj"] },
    {
      [`base_model.model.${layer}.lora_A.weight`]: matrix(2, 40, 5),
      [`base_model.model.${layer}.lora_B.weight`]: matrix(64, 2, 6),
      [`base_model.model.${layer}.lora_magnitude_vector`]: vector,
      [`base_model.model.${table}`]: head,
      [`base_model.model.${norm}`]: matrix(1, 64, 23),
    },
  );
  asVector(join(folder, "dora", "adapter_model.safetensors"), 64);
  for (const name of ["LICENSE", "trainer_state.json"])
    writeFileSync(join(folder, "whole", name), "{}");
  const how = ["--keep", "0.5", "--out", "less"];
  const json = await asked(folder, "mitigate", "whole", "--adapter", "dora", ...how);
  assert.equal(json["form"], "model");
  const less = join(folder, "less", "model.safetensors");
  assert.deepEqual(await read(less, table), [...head.data]);
  assert.deepEqual(await read(less, norm), [...matrix(1, 64, 23).data]);
  const beside = ["LICENSE", "trainer_state.json"].map((name) =>
    existsSync(join(folder, "less", name)),
  );
  assert.deepEqual(beside, [true, false], "the licence goes along, the record of a training not");
});

/** Says of the tensors with one row that they are vectors. */
function asVector(file: string, length: number): void {
  const text = readFileSync(file, "latin1");
  writeFileSync(file, text.replaceAll(`[1,${length}]`, `[${length}]  `), "latin1");
}

async function read(file: string, tensor: string): Promise<readonly number[]> {
  const source = await openWeights(file);
  const bytes = await source.read(tensor);
  await source.close();
  return [...new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)];
}
