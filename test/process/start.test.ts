/** @file The start of every npm script: with which Node, and in which folder. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import { scratch } from "../unit/engine/runs/scratch.ts";

const root = join(import.meta.dirname, "../..");
const system = process.platform === "win32" ? "win" : process.platform;
const installed = existsSync(join(root, `node_modules/node-${system}-${process.arch}`));
const skip = !installed && "no Node is packed for this platform";

/** Pretends, before anything else runs, that this Node is an older one. */
const older = `data:text/javascript,Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.1.0" } })`;

interface End {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

/** Starts `entry` of the tree at `folder`; `onOut` sees what it prints and can send it signals. */
function start(
  folder: string,
  entry: string,
  onOut: (kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
): Promise<End> {
  const script = join(folder, "src/build/start.mjs");
  const child = spawn(process.execPath, ["--import", older, script, entry, "a b"], {
    env: { ...process.env, NODE_OPTIONS: undefined, NODE_TEST_CONTEXT: undefined },
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (data: Buffer) => {
    out += data.toString();
    onOut((signal) => child.kill(signal));
  });
  child.stderr.on("data", (data: Buffer) => (err += data.toString()));
  return new Promise((resolve) => {
    child.on("close", (code, signal) => {
      resolve({ code, signal, out, err });
    });
  });
}

it("hands over to the installed Node, with arguments and exit code", { skip }, async (t) => {
  const entry = join(scratch(t), "entry.mjs");
  writeFileSync(
    entry,
    'console.log(process.argv.slice(1).join("|"), process.versions.node.split(".")[0] > 20); process.exitCode = 7;',
  );
  const { code, out, err } = await start(root, entry);
  assert.equal(err, "");
  assert.equal(out, `${entry}|a b true\n`);
  assert.equal(code, 7);
});

it("hands a request to end over, too", { skip }, async (t) => {
  const entry = join(scratch(t), "entry.mjs");
  writeFileSync(
    entry,
    'process.on("SIGTERM", () => { console.log("ended"); process.exit(5); }); setInterval(() => {}, 1000); console.log("up");',
  );
  const { code, out } = await start(root, entry, (kill) => {
    kill("SIGTERM");
  });
  assert.deepEqual([out, code], ["up\nended\n", 5]);
});

it("says what is needed where none is installed", async (t) => {
  const folder = scratch(t);
  for (const file of ["src/build/start.mjs", "src/cli/node-version.mjs"]) {
    mkdirSync(join(folder, file, ".."), { recursive: true });
    cpSync(join(root, file), join(folder, file));
  }
  const { code, out, err } = await start(folder, "none.mjs");
  assert.deepEqual([out, code], ["", 2]);
  assert.match(err, /needs Node 22\.18 or newer; this is 20\.1\.0[^]*--omit=optional/);
});

describe("the npm script of the command line", () => {
  const folderIn = (t: TestContext, script: string): string => {
    const folder = scratch(t);
    writeFileSync(join(folder, "entry.mjs"), "console.log(process.cwd())");
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ["src/build/start.mjs", join(folder, "entry.mjs")],
      {
        cwd: root,
        encoding: "utf8",
        env: { ...process.env, npm_lifecycle_event: script, INIT_CWD: folder },
      },
    );
    assert.equal(stderr, "");
    return stdout.trim() === realpathSync(folder) ? "the user's" : stdout.trim();
  };

  it("works in the folder where npm was called", (t) => {
    assert.equal(folderIn(t, "spectune"), "the user's");
  });

  it("is the only one that does", (t) => {
    assert.equal(folderIn(t, "quickstart"), root);
  });
});
