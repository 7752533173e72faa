/** @file The language server as an editor has it: a process that speaks over its pipes, on the sample workspace. */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { memoryText } from "../../server/src/numbers.ts";
import { lastLine, spectune } from "../support/command-line.ts";
import type { LanguageClient } from "../support/language-client.ts";
import { partOf, startLanguageClient, uri } from "../support/language-client.ts";

const sample = join(import.meta.dirname, "../../media/sample");
const folder = mkdtempSync(join(tmpdir(), "spectune-lsp-"));
let client: LanguageClient;
let version = 1;

function pathOf(name: string): string {
  return join(folder, name);
}

function open(name: string, text: string): void {
  client.notify("textDocument/didOpen", {
    textDocument: { uri: uri(pathOf(name)), languageId: "spectune", version: 1, text },
  });
}

function change(name: string, text: string): void {
  version += 1;
  client.notify("textDocument/didChange", {
    textDocument: { uri: uri(pathOf(name)), version },
    contentChanges: [{ text }],
  });
}

/** The codes of the diagnostics that are told next of which `wanted` holds. */
async function codesWhere(
  name: string,
  wanted: (codes: readonly unknown[]) => boolean,
): Promise<readonly unknown[]> {
  const codes = (params: unknown): readonly unknown[] => {
    const list = partOf(params, "diagnostics");
    return Array.isArray(list) ? list.map((each: unknown) => partOf(each, "code")) : [];
  };
  const params = await client.next(
    "textDocument/publishDiagnostics",
    (each) => partOf(each, "uri") === uri(pathOf(name)) && wanted(codes(each)),
  );
  return codes(params);
}

function ask(method: string, name: string, more: object = {}): Promise<unknown> {
  return client.request(`textDocument/${method}`, {
    textDocument: { uri: uri(pathOf(name)) },
    ...more,
  });
}

const text = [
  "version: 1",
  "model: ./base",
  "data: { train: ./data/train.jsonl, eval: ./data/eval.jsonl, max_length: 128 }",
  "method: { type: lora, r: 4, alpha: 2r, target_modules: [q_projj, up_proj] }",
  "train: { num_train_epochs: 2, batch_size: 32 }",
  "",
].join("\n");
const mended = text.replace("q_projj", "q_proj");

before(async () => {
  cpSync(sample, folder, { recursive: true });
  client = await startLanguageClient(folder, { severity: { "attention-only-targets": "off" } });
});

after(() => {
  client.process.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

describe("the language server", { timeout: 60_000 }, () => {
  it("marks a target that matches nothing once the model's header is read, and mends it", async () => {
    open("a.peft.yaml", text);
    await codesWhere("a.peft.yaml", (codes) => codes.includes("target-without-match"));
    const at = { line: 3, character: text.split("\n")[3]?.indexOf("q_projj") ?? 0 };
    const actions = await ask("codeAction", "a.peft.yaml", {
      range: { start: at, end: at },
      context: { diagnostics: [] },
    });
    assert.equal(partOf(actions, 0, "title"), "Write `q_proj`");
    const edits = partOf(actions, 0, "edit", "changes", uri(pathOf("a.peft.yaml")));
    assert.equal(partOf(edits, 0, "newText"), "q_proj");
    assert.equal(partOf(edits, 0, "range", "start", "character"), at.character);
    change("a.peft.yaml", mended);
    await codesWhere("a.peft.yaml", (codes) => !codes.includes("target-without-match"));
  });

  it("shows the numbers that the plan tells", async () => {
    writeFileSync(pathOf("a.peft.yaml"), mended);
    const plan = lastLine(await spectune(folder, "plan", "a.peft.yaml", "--json"));
    const range = { start: { line: 0, character: 0 }, end: { line: 9, character: 0 } };
    const wanted = [
      `trainable ${Number(plan["trainableParameters"]).toLocaleString("en-US")} (`,
      `= ${Number(plan["steps"]).toLocaleString("en-US")} steps`,
      `peak memory ≈ ${memoryText(Number(plan["peakMemoryBytes"]))}`,
      "α/r = 2",
    ];
    let labels: readonly string[] = [];
    for (let round = 0; round < 100; round += 1) {
      const hints = await ask("inlayHint", "a.peft.yaml", { range });
      labels = Array.isArray(hints)
        ? hints.map((each: unknown) => String(partOf(each, "label")))
        : [];
      if (labels.length >= 5) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    for (const label of wanted)
      assert.ok(
        labels.some((each) => each.startsWith(label)),
        `${label} in ${labels.join(" | ")}`,
      );
  });

  it("completes the model's own modules, and says what they are", async () => {
    const position = { line: 3, character: mended.split("\n")[3]?.indexOf("up_proj") ?? 0 };
    const items = await ask("completion", "a.peft.yaml", { position });
    const labels = Array.isArray(items) ? items.map((each: unknown) => partOf(each, "label")) : [];
    assert.ok(labels.includes("gate_proj") && !labels.includes("q_proj"), labels.join());
    const said = await ask("hover", "a.peft.yaml", { position });
    assert.match(String(partOf(said, "contents", "value")), /`up_proj` takes 5 of/);
  });

  it("outlines, folds, links, formats and offers commands", async () => {
    assert.equal(partOf(await ask("documentSymbol", "a.peft.yaml"), 3, "name"), "method");
    assert.deepEqual(await ask("foldingRange", "a.peft.yaml"), []);
    const link = partOf(await ask("documentLink", "a.peft.yaml"), 0, "target");
    assert.equal(link, uri(pathOf("base/config.json")));
    const options = { tabSize: 2, insertSpaces: true };
    assert.deepEqual(await ask("formatting", "a.peft.yaml", { options }), []);
    const command = partOf(await ask("codeLens", "a.peft.yaml"), 0, "command");
    assert.equal(partOf(command, "command"), "spectune.run");
    assert.deepEqual(partOf(command, "arguments"), [uri(pathOf("a.peft.yaml"))]);
  });

  it("looks again when a file has come", async () => {
    open("b.peft.yaml", mended.replace("./data/eval.jsonl", "./data/late.jsonl"));
    await codesWhere("b.peft.yaml", (codes) => codes.includes("data-file-missing"));
    cpSync(pathOf("data/eval.jsonl"), pathOf("data/late.jsonl"));
    const changes = [{ uri: uri(pathOf("data/late.jsonl")), type: 1 }];
    client.notify("workspace/didChangeWatchedFiles", { changes });
    await codesWhere("b.peft.yaml", (codes) => !codes.includes("data-file-missing"));
  });

  it("reads what a file extends as the editor holds it", async () => {
    open("c.peft.yaml", "version: 1\nextends: ./a.peft.yaml\nmethod: { r: 8 }\n");
    await codesWhere("c.peft.yaml", (codes) => codes.length === 0);
    change("a.peft.yaml", mended.replace("batch_size: 32", "batch_size: 0"));
    await codesWhere("a.peft.yaml", (codes) => codes.includes("out-of-bounds"));
    change("c.peft.yaml", "version: 1\nextends: ./a.peft.yaml\nmethod: { r: 9 }\n");
    await codesWhere("c.peft.yaml", (codes) => codes.includes("out-of-bounds"));
  });

  it("converts a configuration of peft, and lists what does not carry over", async () => {
    const config = JSON.stringify({ peft_type: "LORA", r: 16, lora_alpha: 32, megatron_core: "x" });
    const converted = await client.request("spectune/convert", {
      name: "adapter_config.json",
      text: config,
    });
    assert.match(String(partOf(converted, "text")), /^ {2}r: 16$/m);
    assert.equal(partOf(converted, "notCarried", 0, "field"), "megatron_core");
  });

  it("answers in a document that is no YAML, and after nonsense", async () => {
    open("d.peft.yaml", "\t{[: &\n*x\u0000 |\n  - ! %");
    await codesWhere("d.peft.yaml", (codes) => codes.includes("yaml-syntax"));
    await assert.rejects(client.request("textDocument/nothing", {}));
    const position = { line: 1, character: 1 };
    assert.ok(Array.isArray(await ask("completion", "d.peft.yaml", { position })));
  });

  it("never loads ONNX Runtime", { skip: !existsSync("/proc/self/maps") && "no /proc" }, () => {
    const maps = readFileSync(`/proc/${client.process.pid ?? 0}/maps`, "utf8");
    assert.match(maps, /node/);
    assert.doesNotMatch(maps, /onnxruntime/);
  });

  it("ends when it is asked to", async () => {
    assert.equal(await client.stop(), 0);
  });
});
