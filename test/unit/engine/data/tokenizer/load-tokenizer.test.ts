/** @file A model folder's tokenizer files. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { loadTokenizer } from "../../../../../src/engine/data/tokenizer/load-tokenizer.ts";
import { byteTokenizerConfig, byteTokenizerFile } from "./small.ts";

const folders: string[] = [];
// A hook that a running test adds is not called any more.
after(async () => {
  for (const path of folders) await rm(path, { recursive: true });
});

async function folder(files: Readonly<Record<string, unknown>>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "spectune-tokenizer-"));
  folders.push(path);
  for (const [name, value] of Object.entries(files)) {
    const isContent = typeof value === "string" || value instanceof Uint8Array;
    await writeFile(join(path, name), isContent ? value : JSON.stringify(value));
  }
  return path;
}

test("a byte-order mark is passed over, and another encoding named", async () => {
  const text = JSON.stringify(byteTokenizerFile);
  assert.ok(await loadTokenizer(await folder({ "tokenizer.json": `\ufeff${text}` })));
  await assert.rejects(
    loadTokenizer(await folder({ "tokenizer.json": Buffer.from(text, "utf16le") })),
    { code: "malformed-tokenizer", message: /UTF-16, not UTF-8/ },
  );
});

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
