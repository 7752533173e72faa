/** @file Looking without a run: weights that lie in the workspace, tensors of a file, data as tokens. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import * as vscode from "vscode";
import { api, eventually, workspaceFile } from "./support.ts";

describe("without a run", () => {
  it("models and adapters are found", async () => {
    const { app } = await api();
    const found = await app.modelsTree.find();
    const base = found.find(({ folder }) => folder === workspaceFile("base"));
    assert.equal(base?.kind, "model");
    assert.equal(base.about, "llama");
    const foreign = found.find(({ folder }) => folder === workspaceFile("foreign"));
    assert.deepEqual([foreign?.kind, foreign?.type, foreign?.rank], ["adapter", "lora", 2]);
  });

  it("a safetensors file opens as a table", async () => {
    const { app } = await api();
    const file = workspaceFile("base/model.safetensors");
    await vscode.commands.executeCommand("spectune.openTensors", workspaceFile("base"));
    await eventually("the editor", () =>
      vscode.window.tabGroups.all
        .flatMap(({ tabs }) => tabs)
        .find(
          ({ input }) =>
            input instanceof vscode.TabInputCustom && input.viewType === "spectune.tensors",
        ),
    );
    const { tensors } = await app.workbench.ask("tensors", { file });
    const [first] = tensors;
    assert(first);
    const elements = first.shape.reduce((product, size) => product * size, 1);
    const histogram = await app.workbench.ask("histogram", { file, tensor: first.name });
    assert.equal(
      histogram.counts.reduce((sum, count) => sum + count, 0),
      elements,
    );
    assert(histogram.edges instanceof Float64Array);
  });

  it("data are shown as tokens", async () => {
    const { app } = await api();
    const file = workspaceFile("short.peft.yaml");
    const { examples, total } = await app.workbench.ask("tokens", { file, from: 1, count: 2 });
    assert.equal(examples.length, 2);
    assert(total > 2);
    const [example] = examples;
    assert(example);
    assert.equal(example.ids.length, example.texts.length);
    assert(example.trained.includes(1) && example.trained.includes(0));
  });
});
