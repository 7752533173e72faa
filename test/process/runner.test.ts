/** @file The test runner itself: what it counts, and everything that must make it fail. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { it } from "node:test";
import type { TestContext } from "node:test";
import { runTests } from "../runner/run-tests.ts";
import { scratch } from "../unit/engine/runs/scratch.ts";

const head =
  'import assert from "node:assert/strict";\nimport { describe, it } from "node:test";\n';
const good = `${head}describe("numbers", () => { it("add", () => {}); it("carry", () => {}); });\n`;

interface Outcome {
  readonly ok: boolean;
  readonly out: string;
  readonly last: string | undefined;
}

/** Runs group `a`, and `groups` where they are given, of a tree with these files. */
async function outcome(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  { groups = ["a"], deep = false } = {},
): Promise<Outcome> {
  const root = scratch(t);
  for (const [name, text] of Object.entries(files)) {
    const file = join(root, "test", name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  let out = "";
  const ok = await runTests({
    root,
    groups,
    deep,
    env: process.env,
    write: (text) => (out += text),
    now: () => 0,
  });
  return { ok, out, last: out.trimEnd().split("\n").at(-1) };
}

it("counts what passed and was skipped, with the reasons", async (t) => {
  const some = `${head}it("there", () => {}); it("elsewhere", { skip: "no moon" }, () => {}); it("late", (t) => { t.skip("no sun"); });\n`;
  const { ok, out, last } = await outcome(t, { "a/b/one.test.ts": good, "a/two.test.ts": some });
  assert.equal(last, "3 passed, 0 failed, 2 skipped");
  assert.equal(ok, true);
  assert.match(out, /^a +0\.0 s {2}3 passed, 0 failed, 2 skipped$/m);
  assert.match(out, /test\/a\/two\.test\.ts: elsewhere \(line 3\) \(no moon\)/);
  assert.match(out, /test\/a\/two\.test\.ts: late \(line 3\) \(no sun\)/);
});

it("fails with a test that fails, and shows it in full with what its file printed", async (t) => {
  const bad = `${head}describe("numbers", () => { it("differ", () => { console.log("said so"); assert.deepEqual([1], [2]); }); });\n`;
  const { ok, out, last } = await outcome(t, { "a/bad.test.ts": bad, "a/good.test.ts": good });
  assert.equal(last, "2 passed, 1 failed, 0 skipped");
  assert.equal(ok, false);
  assert.match(out, /✖ test\/a\/bad\.test\.ts: numbers › differ \(line 3\)/);
  assert.match(out, /\+ +1\n- +2/);
  assert.match(out, /said so/);
});

const broken: Readonly<Record<string, readonly [text: string, said: RegExp]>> = {
  "crashes before its tests": ["process.exit(3);\n", /ended with code 3/],
  "does not parse": ["it(;\n", /reported no test[^]*SyntaxError|ERR_INVALID_TYPESCRIPT_SYNTAX/],
  "has no tests": ['import "node:fs";\n', /reported no test/],
  "ends itself between its tests, as if all was well": [
    `${head}it("ends", () => {}); it("is cut off", () => { process.exit(0); });\n`,
    /reported no test|ended before its tests did/,
  ],
  "is killed": [
    `${head}it("dies", async () => { process.kill(process.pid, "SIGKILL"); await new Promise(() => {}); });\n`,
    /ended by SIGKILL/,
  ],
  "throws where its suite is described": [
    `${head}describe("wrong", () => { throw new Error("no such thing"); });\n`,
    /no such thing/,
  ],
  "fails after its tests": [
    `${head}it("leaves a timer", () => { setTimeout(() => { throw new Error("too late"); }, 50); });\n`,
    /too late/,
  ],
};

for (const [name, [text, said]] of Object.entries(broken))
  it(`fails with a file that ${name}`, async (t) => {
    const { ok, out, last } = await outcome(t, { "a/bad.test.ts": text, "a/good.test.ts": good });
    assert.equal(ok, false, out);
    assert.match(out, said);
    assert.match(last ?? "", /^[23] passed, [12] failed, 0 skipped$/);
  });

it("fails with a group that is empty, and one that is missing", async (t) => {
  const files = { "a/one.test.ts": good, "b/helper.ts": "export {};\n" };
  const { ok, out, last } = await outcome(t, files, { groups: ["a", "b", "c"] });
  assert.equal(ok, false);
  assert.match(out, /test\/b: there is no test file[^]*test\/c: there is no test file/);
  assert.equal(last, "2 passed, 2 failed, 0 skipped");
});

it("runs deep files only when they are asked for", async (t) => {
  const files = { "a/one.test.ts": good, "a/long.deep.ts": good };
  assert.equal((await outcome(t, files)).last, "2 passed, 0 failed, 0 skipped");
  assert.equal((await outcome(t, files, { deep: true })).last, "4 passed, 0 failed, 0 skipped");
});

it("prepares a group before its files, and runs none of them where that fails", async (t) => {
  const prepare = 'import { writeFileSync } from "node:fs";\nwriteFileSync("made", "");\n';
  const needs = `${head}import { existsSync } from "node:fs";\nit("has it", () => assert(existsSync("made")));\n`;
  const well = await outcome(t, { "a/prepare.ts": prepare, "a/needs.test.ts": needs });
  assert.equal(well.last, "1 passed, 0 failed, 0 skipped");
  const badly = await outcome(t, {
    "a/prepare.ts": 'throw new Error("there is no browser");\n',
    "a/good.test.ts": good,
  });
  assert.equal(badly.ok, false);
  assert.equal(badly.last, "0 passed, 1 failed, 0 skipped");
  assert.match(badly.out, /✖ test\/a\/prepare\.ts: [^]*there is no browser/);
});

it("begins a group while another's last file runs", async (t) => {
  const made = 'const made = () => existsSync("made");\n';
  const waits = `${head}import { existsSync } from "node:fs";\n${made}it("sees the next group", async () => { for (let tries = 0; tries < 600 && !made(); tries += 1) await new Promise((done) => setTimeout(done, 50)); assert(made()); });\n`;
  const makes = `${head}import { writeFileSync } from "node:fs";\nit("makes", () => { writeFileSync("made", ""); });\n`;
  const files = { "a/waits.test.ts": waits, "b/makes.test.ts": makes };
  const { ok, out, last } = await outcome(t, files, { groups: ["a", "b"] });
  assert.equal(ok, true, out);
  assert.equal(last, "2 passed, 0 failed, 0 skipped");
});

it("keeps compiled modules for the run alone", async (t) => {
  const text = `${head}it("says where", () => { throw new Error("at " + process.env.NODE_COMPILE_CACHE + "."); });\n`;
  const { out } = await outcome(t, { "a/says.test.ts": text });
  const folder = /Error: at (.*spectune-compiled-\w+)\./.exec(out)?.[1] ?? "";
  assert.notEqual(folder, "", out);
  assert.equal(existsSync(folder), false);
});
