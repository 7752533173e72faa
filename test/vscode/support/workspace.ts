/** @file The workspace that tests of the editor open: the sample, runs of a few seconds, an adapter from elsewhere. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../../../src/build/editor/code-server.ts";

/** In a folder with a space and a letter beyond ASCII in its name. `short` trains 8 steps, `long` many; `wrong` has an error. */
export function sampleWorkspace(): string {
  const folder = mkdtempSync(join(tmpdir(), "spectune wörkspace-"));
  cpSync(join(root, "media/sample"), folder, { recursive: true });
  const lines = readFileSync(join(folder, "data/train.jsonl"), "utf8").split("\n");
  writeFileSync(join(folder, "data/few.jsonl"), lines.slice(0, 64).join("\n"));
  const experiment = (epochs: number, rank: number): string =>
    [
      "version: 1",
      "model: ./base",
      "data: { train: ./data/few.jsonl, max_length: 128 }",
      `method: { type: lora, r: ${rank}, alpha: 2r, target_modules: [q_proj, v_proj] }`,
      `train: { num_train_epochs: ${epochs}, batch_size: 16, micro_batch_size: 16, learning_rate: 1.0e-3 }`,
      "run: { threads: 1 }",
      "",
    ].join("\n");
  writeFileSync(join(folder, "short.peft.yaml"), experiment(2, 2));
  writeFileSync(join(folder, "long.peft.yaml"), experiment(2000, 4));
  writeFileSync(join(folder, "wrong.peft.yaml"), experiment(2, 2).replace("./base", "./nowhere"));
  mkdirSync(join(folder, "foreign"));
  writeFileSync(
    join(folder, "foreign/adapter_config.json"),
    JSON.stringify({ peft_type: "LORA", r: 2, base_model_name_or_path: "sample/base" }),
  );
  return folder;
}
