/** @file The extension comes quickly, and what it declares is there. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import * as vscode from "vscode";
import { commandIds } from "../../../src/extension/commands/register.ts";
import { isContributed } from "../../../src/extension/contributed.ts";
import { api } from "./support.ts";

describe("the extension", () => {
  it("is there within 150 ms", async () => {
    const { activation } = await api();
    assert(activation.milliseconds < 150, `${activation.milliseconds} ms`);
  });

  it("has started no process that nobody needs yet", async () => {
    const { app } = await api();
    assert.equal(app.workbench.started(), false);
  });

  it("registers each command that its package.json offers", async () => {
    const { app } = await api();
    const registered = await vscode.commands.getCommands(true);
    const offered = commandIds().filter((id) => isContributed(app.context, id));
    assert(offered.length > 20);
    assert.deepEqual(
      offered.filter((id) => !registered.includes(id)),
      [],
    );
  });

  it("says what a command lacks instead of throwing", async () => {
    const result = await vscode.commands.executeCommand("spectune.openTensors", "/nowhere");
    assert.equal(result, undefined);
  });
});
