/** @file `spectune export --as lora`: a plain LoRA of any method that is one, with what it loses, or the reason why not. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { at } from "../../src/shared/errors.ts";
import { runsOf, spectune } from "../support/command-line.ts";
import { makeWorkspace, tinyExperiment } from "../support/workspace.ts";

const experiment = (method: string): string =>
  tinyExperiment.replace(/^method:.*$/mu, `method: ${method}`);

it("writes VeRA out as LoRA, and says what that loses", async (t) => {
  const folder = makeWorkspace(t, experiment("{ type: vera, r: 4 }"));
  const ran = await spectune(folder, "run", "a.peft.yaml");
  assert.equal(ran.code, 0, ran.err);
  const run = at(runsOf(folder), 0);
  const own = await spectune(folder, "export", run, "--as", "peft", "--out", "own");
  assert.equal(own.code, 0, own.err);
  assert.match(readFileSync(join(folder, "own", "adapter_config.json"), "utf8"), /"VERA"/u);
  const plain = await spectune(
    folder,
    ...["export", run, "--as", "lora", "--out", "plain", "--json"],
  );
  assert.equal(plain.code, 0, plain.err);
  assert.match(plain.out, /"loses":\["The factors of VeRA are multiplied out[^"]*"\]/u);
  assert.match(readFileSync(join(folder, "plain", "adapter_config.json"), "utf8"), /"LORA"/u);
});

it("writes it with the run where the file asks for it, beside the method's own form", async (t) => {
  const folder = makeWorkspace(t, `${experiment("{ type: vera, r: 4 }")}export: [lora]\n`);
  const ran = await spectune(folder, "run", "a.peft.yaml");
  assert.equal(ran.code, 0, ran.err);
  assert.match(ran.err, /The factors of VeRA are multiplied out/u);
  const run = at(runsOf(folder), 0);
  const typeIn = (form: string): string =>
    /"peft_type": "(\w+)"/u.exec(
      readFileSync(join(run, form, "adapter_config.json"), "utf8"),
    )?.[1] ?? "";
  assert.equal(typeIn("adapter"), "VERA");
  assert.equal(typeIn("lora"), "LORA");
});

it("leaves a merged model where peft holds no module of such a size", async (t) => {
  const folder = makeWorkspace(t, experiment("{ type: miss, mode: bat, r: 5 }"));
  const ran = await spectune(folder, "run", "a.peft.yaml");
  assert.equal(ran.code, 0, ran.err);
  assert.match(ran.err, /leaves-merged/u);
  const run = at(runsOf(folder), 0);
  assert(existsSync(join(run, "merged", "config.json")));
  assert(!existsSync(join(run, "adapter")));
  assert.match((await spectune(folder, "export", run, "--as", "peft")).err, /no adapter for miss/u);
});

it("refuses what is no low-rank update", async (t) => {
  const folder = makeWorkspace(t, experiment("{ type: ia3 }"));
  assert.equal((await spectune(folder, "run", "a.peft.yaml")).code, 0);
  const run = at(runsOf(folder), 0);
  const refused = await spectune(folder, "export", run, "--as", "lora", "--out", "new");
  assert.notEqual(refused.code, 0);
  assert.match(refused.err, /IA³ is no low-rank update[^]*as peft/u);
});
