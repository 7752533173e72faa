/** @file The built command line: alone with ONNX Runtime in a folder of its own, and as npm packs it. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { bundle } from "../../src/build/bundle.ts";
import { refusalOfNode } from "../../src/cli/node-version.mjs";
import { lastLine, runsOf } from "../support/command-line.ts";
import type { Outcome } from "../support/command-line.ts";
import { makeWorkspace } from "../support/workspace.ts";
import { scratch } from "../unit/engine/runs/scratch.ts";

const root = join(import.meta.dirname, "../..");
const windows = process.platform === "win32";

let app = "";
before(async () => {
  app = mkdtempSync(join(tmpdir(), "spectune-built-"));
  // Compiled for this process already; `bundle` looks at their hashes.
  cpSync(join(root, "dist/kernels"), join(app, "dist/kernels"), { recursive: true });
  await bundle(join(app, "dist"));
  linkRuntime(app);
});
after(() => {
  rmSync(app, { recursive: true, force: true });
});

/** The one package that is not in the bundle. */
function linkRuntime(folder: string): void {
  mkdirSync(join(folder, "node_modules"));
  const name = "node_modules/onnxruntime-node";
  symlinkSync(join(root, name), join(folder, name), windows ? "junction" : "dir");
}

async function built(folder: string, ...args: readonly string[]): Promise<Outcome> {
  return start(folder, process.execPath, [join(app, "dist/cli/spectune.mjs"), ...args]);
}

async function start(cwd: string, file: string, args: readonly string[]): Promise<Outcome> {
  // The present Node is the one that a shebang finds.
  const PATH = [dirname(process.execPath), process.env["PATH"]].join(windows ? ";" : ":");
  try {
    const env = { ...process.env, PATH, NODE_TEST_CONTEXT: undefined };
    const { stdout, stderr } = await promisify(execFile)(file, [...args], { cwd, env });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    assert(error instanceof Error && "stdout" in error && "stderr" in error && "code" in error);
    return { code: Number(error.code), out: String(error.stdout), err: String(error.stderr) };
  }
}

describe("the built command line", () => {
  it("lists the catalog and checks a file from any folder", async (t) => {
    const folder = makeWorkspace(t);
    const { out, code, err } = await built(folder, "methods");
    assert.equal(code, 0, err);
    assert.match(out, /^lora .*^full /ms);
    const checked = await built(folder, "check", "a.peft.yaml");
    assert.equal(checked.code, 0, checked.err);
    const version = await built(folder, "--version");
    assert.match(version.out, /^\d+\.\d+\.\d+\n$/);
  });

  it("trains in its thread, on its kernels", async (t) => {
    const folder = makeWorkspace(t);
    const outcome = await built(
      folder,
      "run",
      "a.peft.yaml",
      "--json",
      "--set",
      "quantization=nf4",
    );
    assert.equal(outcome.code, 0, outcome.err);
    const { status, steps } = lastLine(outcome);
    assert.deepEqual([status, steps], ["finished", 2]);
  });

  it("gives each run of a sweep a process", async (t) => {
    const folder = makeWorkspace(
      t,
      `version: 1
model: ./model
data: { train: ./train.jsonl, eval: ./eval.jsonl, max_length: 64 }
method: lora
train: { max_steps: 1, batch_size: 4 }
run: { threads: 1, report_to: [] }
sweep: { grid: { method.r: [1, 2] } }
`,
    );
    const outcome = await built(folder, "run", "a.peft.yaml");
    assert.equal(outcome.code, 0, outcome.err);
    assert.equal(runsOf(folder).length, 2);
  });

  it("serves editors", async (t) => {
    const body = JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { processId: null, rootUri: null, capabilities: {} },
    });
    const entry = join(app, "dist/cli/spectune.mjs");
    const child = spawn(process.execPath, [entry, "lsp", "--stdio"], { cwd: scratch(t) });
    t.after(() => child.kill("SIGKILL"));
    child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    let out = "";
    for await (const chunk of child.stdout.setEncoding("utf8")) {
      out += String(chunk);
      if (out.includes('"result"')) break;
    }
    assert.match(out, /"completionProvider"/);
  });

  it(
    "starts by a link to it, as npm makes one",
    { skip: windows && "npm writes a script" },
    async (t) => {
      const folder = makeWorkspace(t);
      const link = join(folder, "spectune");
      symlinkSync(join(app, "dist/cli/spectune.mjs"), link);
      const { out, code, err } = await start(folder, link, ["methods"]);
      assert.equal(code, 0, err);
      assert.match(out, /^lora/m);
    },
  );

  it("works as npm packs it, with the sample", async (t) => {
    const folder = makeWorkspace(t);
    const source = join(folder, "source");
    for (const name of ["package.json", "README.md", "LICENSE", "CHANGELOG.md", "media/sample"])
      cpSync(join(root, name), join(source, name), { recursive: true });
    cpSync(join(app, "dist"), join(source, "dist"), { recursive: true });
    const npm = await start(source, "npm", ["pack", "--pack-destination", folder]);
    assert.equal(npm.code, 0, npm.err);
    const tar = await start(folder, "tar", ["-xzf", npm.out.trim().split("\n").at(-1) ?? ""]);
    assert.equal(tar.code, 0, tar.err);
    linkRuntime(join(folder, "package"));
    const entry = join(folder, "package/dist/cli/spectune.mjs");
    const sample = join(folder, "package/media/sample/lora.peft.yaml");
    const { code, err } = await start(folder, process.execPath, [entry, "check", sample]);
    assert.equal(code, 0, err);
  });
});

it("names the Node that it needs to an older one", () => {
  assert.match(refusalOfNode("20.19.0") ?? "", /needs Node 22\.18 or newer; this is 20\.19\.0/);
  assert.match(refusalOfNode("22.17.1") ?? "", /nodejs\.org/);
  for (const version of ["22.18.0", "24.0.0"]) assert.equal(refusalOfNode(version), undefined);
});
