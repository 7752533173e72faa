/** @file Experiment files in the editor: checks, fixes, completion, hover, hints, lenses. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, it } from "mocha";
import * as vscode from "vscode";
import { eventually, workspaceFile } from "./support.ts";

const text = [
  "version: 1",
  "model: ./base",
  "data:",
  "  train: ./data/train.jsonl",
  "method:",
  "  type: lora",
  "  target_modules: [q_projj, v_proj]",
  "",
].join("\n");

async function open(name: string, content: string): Promise<vscode.TextDocument> {
  const file = workspaceFile(name);
  writeFileSync(file, content);
  const document = await vscode.workspace.openTextDocument(file);
  await vscode.window.showTextDocument(document);
  return document;
}

function diagnostics(document: vscode.TextDocument, part: string): Promise<vscode.Diagnostic> {
  return eventually(`a remark with ${part}`, () =>
    vscode.languages.getDiagnostics(document.uri).find(({ message }) => message.includes(part)),
  );
}

describe("an experiment file", () => {
  it("has its own language", async () => {
    assert.equal((await open("a.peft.yaml", text)).languageId, "spectune");
  });

  it("is checked against the model, and the fix mends it", async () => {
    const document = await open("b.peft.yaml", text);
    const { range } = await diagnostics(document, "q_projj");
    const actions = await vscode.commands.executeCommand<readonly vscode.CodeAction[]>(
      "vscode.executeCodeActionProvider",
      document.uri,
      range,
    );
    const fix = actions.find(({ title }) => title.includes("q_proj"));
    assert(fix?.edit, actions.map(({ title }) => title).join(", "));
    await vscode.workspace.applyEdit(fix.edit);
    assert.match(document.getText(), /\[q_proj, v_proj\]/);
    await eventually("the remark's end", () =>
      vscode.languages
        .getDiagnostics(document.uri)
        .some(({ message }) => message.includes("q_projj"))
        ? undefined
        : true,
    );
  });

  it("completes methods and module names", async () => {
    const document = await open("c.peft.yaml", text);
    const at = async (part: string): Promise<readonly string[]> => {
      const position = document.positionAt(document.getText().indexOf(part) + part.length);
      const list = await vscode.commands.executeCommand<vscode.CompletionList>(
        "vscode.executeCompletionItemProvider",
        document.uri,
        position,
      );
      return list.items.map(({ label }) => (typeof label === "string" ? label : label.label));
    };
    assert((await at("type: ")).includes("full"));
    assert((await at("[")).includes("k_proj"));
  });

  it("explains, counts and offers to run", async () => {
    const document = await open("d.peft.yaml", text.replace("q_projj", "q_proj"));
    const position = document.positionAt(document.getText().indexOf("lora"));
    const hovers = await eventually("a hover", async () => {
      const found = await vscode.commands.executeCommand<readonly vscode.Hover[]>(
        "vscode.executeHoverProvider",
        document.uri,
        position,
      );
      return found.length > 0 ? found : undefined;
    });
    const said = hovers
      .flatMap(({ contents }) => contents)
      .map((each) => (each instanceof vscode.MarkdownString ? each.value : ""));
    assert.match(said.join("\n"), /arxiv\.org\/abs\/2106\.09685/);
    const hints = await eventually("a hint of the parameters", async () => {
      const found = await vscode.commands.executeCommand<readonly vscode.InlayHint[]>(
        "vscode.executeInlayHintProvider",
        document.uri,
        new vscode.Range(0, 0, document.lineCount, 0),
      );
      const labels = found.map(({ label }) => (typeof label === "string" ? label : ""));
      return labels.some((label) => /trainable [\d,]+/.test(label)) ? labels : undefined;
    });
    assert(hints.length > 1);
    const lenses = await vscode.commands.executeCommand<readonly vscode.CodeLens[]>(
      "vscode.executeCodeLensProvider",
      document.uri,
    );
    const commands = lenses.map(({ command }) => command?.command);
    assert(commands.includes("spectune.run") && commands.includes("spectune.plan"));
    const known = await vscode.commands.getCommands(true);
    assert.deepEqual(
      commands.filter((id) => id === undefined || !known.includes(id)),
      [],
    );
  });
});
