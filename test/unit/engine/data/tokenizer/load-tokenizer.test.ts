/** @file A model folder's tokenizer files. */
import assert from "node:assert/strict";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadTokenizer } from "../../../../../src/engine/data/tokenizer/load-tokenizer.ts";
import { byteTokenizerConfig, byteTokenizerFile } from "./small.ts";

async function folder(files: Readonly<Record<string, unknown>>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "spectune-tokenizer-"));
  for (const [name, value] of Object.entries(files))
    await writeFile(join(path, name), typeof value === "string" ? value : JSON.stringify(value));
  return path;
}

test("the four files are read", async () => {
  const tokenizer = await loadTokenizer(
    await folder({
      "tokenizer.json": byteTokenizerFile,
      "tokenizer_config.json": {
        chat_template: [
          { name: "default", template: "old" },
          { name: "tool_use", template: "t" },
        ],
      },
      "special_tokens_map.json": byteTokenizerConfig,
      "chat_template.jinja": "new",
    }),
  );
  assert.equal(tokenizer.special.eos?.id, 258);
  assert.deepEqual(
    [...tokenizer.chatTemplates],
    [
      ["default", "new"],
      ["tool_use", "t"],
    ],
  );
});

test("a missing tokenizer.json is named, and an older form too", async () => {
  await assert.rejects(loadTokenizer(await folder({})), { code: "missing-tokenizer" });
  await assert.rejects(
    loadTokenizer(await folder({ "tokenizer.model": "x" })),
    (error: { remedy?: string }) => {
      assert.match(error.remedy ?? "", /older tokenizer.model/);
      return true;
    },
  );
});

test("a file that was cut short is named", async () => {
  const cut = JSON.stringify(byteTokenizerFile).slice(0, 500);
  await assert.rejects(loadTokenizer(await folder({ "tokenizer.json": cut })), {
    code: "malformed-tokenizer",
  });
});
