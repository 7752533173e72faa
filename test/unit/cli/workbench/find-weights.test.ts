/** @file Models, adapters and Trainer outputs are found, whatever made them. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { findWeights } from "../../../../src/cli/workbench/find-weights.ts";

describe("weights of a workspace", () => {
  const root = mkdtempSync(join(tmpdir(), "spectune-weights-"));
  after(() => rmSync(root, { recursive: true, force: true }));
  const file = (path: string, text: string): void => {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  file("base/config.json", '{"model_type":"llama"}');
  file("base/model.safetensors", "12345678");
  file(
    "adapter/adapter_config.json",
    '{"peft_type":"LORA","r":16,"base_model_name_or_path":"org/m"}',
  );
  file("output/trainer_state.json", "{}");
  file("output/checkpoint-10/adapter_config.json", "not JSON");
  file("output/checkpoint-20/x", "");
  file("node_modules/a/model.safetensors", "");
  file(".spectune/runs/r/adapter/adapter_config.json", "{}");

  it("are told with their kind, and nothing of what is excluded", async () => {
    const found = await findWeights([root], ["**/node_modules/**"]);
    assert.deepEqual(
      found.map(({ folder, ...rest }) => ({
        ...rest,
        files: rest.files.length,
        folder: folder.slice(root.length + 1),
      })),
      [
        {
          folder: "adapter",
          kind: "adapter",
          about: "org/m",
          type: "lora",
          rank: 16,
          files: 0,
          bytes: 0,
        },
        { folder: "base", kind: "model", about: "llama", files: 1, bytes: 8 },
        { folder: "output", kind: "trainer", about: "", checkpoints: 2, files: 0, bytes: 0 },
        { folder: join("output", "checkpoint-10"), kind: "adapter", about: "", files: 0, bytes: 0 },
      ],
    );
  });

  it("are none where there is no folder", async () => {
    assert.deepEqual(await findWeights([join(root, "nowhere")], []), []);
  });
});
