/** @file Runs from the editor: begun, followed, stopped, gone on with, killed. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "mocha";
import * as vscode from "vscode";
import type { Api } from "../../../src/extension/activate.ts";
import type { RunHead } from "../../../src/shared/run-head.ts";
import { isLive } from "../../../src/shared/run-state.ts";
import { api, eventually, workspaceFile } from "./support.ts";

function headWhere(
  { app }: Api,
  folder: string,
  what: string,
  wanted: (head: RunHead) => boolean,
): Promise<RunHead> {
  return eventually(what, () => {
    const head = app.runs.head(folder);
    return head !== undefined && wanted(head) ? head : undefined;
  });
}

async function begin(file: string): Promise<string> {
  const folder = await vscode.commands.executeCommand<string | undefined>(
    "spectune.run",
    vscode.Uri.file(workspaceFile(file)),
  );
  assert(folder !== undefined && existsSync(join(folder, "experiment.yaml")));
  return folder;
}

/** Runs a task that is offered, to its process's exit code; `undefined` where it was ended. */
async function runTask(name: string): Promise<number | undefined> {
  const task = (await vscode.tasks.fetchTasks({ type: "spectune" })).find(
    (each) => each.name === name,
  );
  assert(task, name);
  const ended = new Promise<number | undefined>((resolve) => {
    const heard = vscode.tasks.onDidEndTaskProcess(({ execution, exitCode }) => {
      if (execution.task.name !== name) return;
      heard.dispose();
      resolve(exitCode);
    });
  });
  await vscode.tasks.executeTask(task);
  return await ended;
}

describe("a run", () => {
  it("is planned in words", async () => {
    const said = await vscode.commands.executeCommand<string>(
      "spectune.plan",
      workspaceFile("short.peft.yaml"),
    );
    assert.match(said, /trainable .*\nsteps /);
  });

  it("trains, is followed, and leaves its adapter", async () => {
    const there = await api();
    const folder = await begin("short.peft.yaml");
    const steps: number[] = [];
    const { curve } = await there.app.workbench.ask("follow", { run: folder });
    steps.push(...curve.columns.step);
    there.app.workbench.on("curve", ({ run, chunk }) => {
      if (run === folder) steps.push(...chunk.columns.step);
    });
    const head = await headWhere(there, folder, "the end", ({ state }) => state === "finished");
    assert.equal(head.step, head.steps);
    assert(head.has.includes("adapter"));
    await eventually("the last step", () => (steps.length === head.steps ? true : undefined));
    assert.deepEqual(
      steps,
      Array.from(steps, (_, index) => index + 1),
    );
  });

  it("stops after its step and goes on from there", async () => {
    const there = await api();
    const folder = await begin("long.peft.yaml");
    await headWhere(there, folder, "a step", ({ step }) => step > 0);
    await vscode.commands.executeCommand("spectune.stop", folder);
    const stopped = await headWhere(there, folder, "the stop", ({ state }) => state === "stopped");
    assert(stopped.step > 0 && stopped.step < (stopped.steps ?? 0));
    assert.equal(await vscode.commands.executeCommand("spectune.resume", folder), folder);
    const on = await headWhere(
      there,
      folder,
      "the next step",
      ({ attempt, step }) => attempt === 2 && step > stopped.step,
    );
    assert(isLive(on.state));
    // And killed: it is shown as dead, with what it printed.
    assert(on.pid !== undefined);
    process.kill(on.pid, "SIGKILL");
    const dead = await headWhere(there, folder, "the death", ({ state }) => state === "crashed");
    assert.equal(dead.death?.kind, "killed");
    assert.match(dead.death.message, /ended from outside/);
    assert(dead.death.lastLines.some((line) => line.includes("run folder")));
  });

  it("says why it cannot begin", async () => {
    const { app } = await api();
    const before = app.runs.heads().length;
    const folder = await vscode.commands.executeCommand(
      "spectune.run",
      workspaceFile("wrong.peft.yaml"),
    );
    assert.equal(folder, undefined);
    assert.equal(app.runs.heads().length, before);
  });

  it("is compared with another", async () => {
    const { app } = await api();
    const runs = app.runs.heads().map(({ folder }) => folder);
    const { groups } = await app.workbench.ask("compare", { runs });
    assert.equal(groups.length, 2);
    await vscode.commands.executeCommand("spectune.compare", runs[0], runs);
    await eventually("the panel", () =>
      vscode.window.tabGroups.all
        .flatMap(({ tabs }) => tabs)
        .find(({ input }) => input instanceof vscode.TabInputWebview),
    );
  });

  it("is offered as a task, with its file", async () => {
    const tasks = await vscode.tasks.fetchTasks({ type: "spectune" });
    const names = tasks.map(({ name }) => name);
    for (const command of ["run", "check", "plan"])
      assert(names.includes(`${command} short.peft.yaml`), names.join("\n"));
    const task = tasks.find(({ name }) => name === "plan short.peft.yaml");
    assert(task?.execution instanceof vscode.ProcessExecution);
    assert.deepEqual(task.execution.args.slice(1), ["plan", workspaceFile("short.peft.yaml")]);
  });

  it("is run as a task, to its exit code, with what is wrong marked in the file", async () => {
    assert.equal(await runTask("plan short.peft.yaml"), 0);
    // The language server has not seen the file, which is not open: the task's words were read. A busy editor can miss
    // those of a terminal that ends at once.
    const marks = () =>
      vscode.languages.getDiagnostics(vscode.Uri.file(workspaceFile("wrong.peft.yaml")));
    for (let tries = 0; tries < 4 && marks().length === 0; tries += 1) {
      assert.equal(await runTask("check wrong.peft.yaml"), 2);
      await eventually("the mark", () => marks()[0], 10).catch(() => undefined);
    }
    const [mark] = marks();
    assert.deepEqual([mark?.code, mark?.range.start.line], ["model-not-found", 1]);
  });

  it("leaves what its process printed", async () => {
    const { app } = await api();
    const [head] = app.runs.heads();
    assert(head);
    const { log } = await app.workbench.ask("lastLines", { run: head.folder });
    assert(log !== undefined);
    assert.match(readFileSync(log, "utf8"), /run folder/);
  });

  it("ends with its task, and says so", async () => {
    const { app } = await api();
    const ended = runTask("run long.peft.yaml");
    const [execution] = await eventually("the task", () => {
      const running = vscode.tasks.taskExecutions.filter(
        ({ task }) => task.name === "run long.peft.yaml",
      );
      return running.length > 0 ? running : undefined;
    });
    const head = await eventually("the run", async () =>
      (await app.runs.watch()).find(({ state, step }) => isLive(state) && step > 0),
    );
    execution?.terminate();
    await ended;
    await headWhere(await api(), head.folder, "the end", ({ state }) => !isLive(state));
  });
});
