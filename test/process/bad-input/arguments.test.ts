/** @file Wrong arguments of the command line. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { spectune, startSpectune } from "../../support/command-line.ts";
import { makeWorkspace } from "../../support/workspace.ts";

describe("wrong arguments", () => {
  it("are refused with the nearest command or option", async (t) => {
    const folder = makeWorkspace(t);
    const command = await spectune(folder, "rnu", "a.peft.yaml");
    assert.equal(command.code, 2);
    assert.match(command.err, /no command rnu[^]*\brun\b/);
    const option = await spectune(folder, "run", "a.peft.yaml", "--jsom");
    assert.equal(option.code, 2);
    assert.match(option.err, /--jsom[^]*--json/);
    const override = await spectune(folder, "run", "a.peft.yaml", "--set", "train.leraning_rate=1");
    assert.equal(override.code, 2);
    assert.match(override.err, /leraning_rate[^]*learning_rate/);
    const asked = await spectune(folder, "help", "plam");
    assert.equal(asked.code, 2);
    assert.match(asked.err, /no command plam[^]*plan/u);
    const other = await spectune(folder, "check", "a.peft.yml");
    assert.match(other.err, /no experiment file a\.peft\.yml[^]*folder has a\.peft\.yaml\./u);
    const lost = await spectune(folder, "check", "nowhere/a.peft.yml");
    assert.match(lost.err, /Give the path of a \.peft\.yaml file\.\n/u);
    assert.match((await spectune(folder, "check", "/dev/zero")).err, /is not a file/u);
    writeFileSync(join(folder, "endless.peft.yaml"), "extends: /dev/zero\n");
    assert.match((await spectune(folder, "check", "endless.peft.yaml")).out, /\/dev\/zero/u);
    for (const beside of [["a.peft.yaml"], ["--set", "train.max_steps=9"]]) {
      const changed = await spectune(folder, "run", "--resume", "nothing", ...beside);
      assert.equal(changed.code, 2);
      assert.match(changed.err, /beside it has no meaning/u);
    }
    const run = await spectune(folder, "run", "--resume", "nothing");
    assert.equal(run.code, 2);
    assert.match(run.err, /no run "nothing"/);
    assert.equal(existsSync(join(folder, ".spectune")), false);
  });

  it("are said in our words, with the command that they belong to", async (t) => {
    const folder = makeWorkspace(t);
    const told = async (...args: readonly string[]): Promise<string> => {
      const { code, err } = await spectune(folder, "generate", "x", "--prompt", "a", ...args);
      assert.equal(code, 2);
      return err;
    };
    assert.match(await told("--temperature", "-1"), /--temperature takes a number.*not -1\./u);
    assert.match(await told("--temperature=-1"), /not -1\.[^]*`spectune help generate`/u);
    assert.match(
      await told("--model", "--json"),
      /what follows --model begins with a dash[^]*--model=VALUE/u,
    );
    assert.match(await told("--stop", ""), /--stop takes the text that ends/u);
    const twice = ["--temperature", "1", "--temperature", "2"];
    assert.match(await told(...twice), /--temperature is given more than once/u);
  });

  it("end a process of its own with code 2, too", async (t) => {
    const folder = makeWorkspace(t);
    const { code, err } = await startSpectune(t, folder, "run", "c.peft.yaml").end;
    assert.equal(code, 2);
    assert.match(err, /c\.peft\.yaml/);
  });
});
