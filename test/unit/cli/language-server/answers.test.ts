/** @file Answers about files: asked for without waiting, kept, and loaded again when the file has changed. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { createAnswers, createWork } from "../../../../src/cli/language-server/answers.ts";
import { loadDataFacts } from "../../../../src/cli/language-server/data-facts.ts";
import { createLater } from "../../../../src/cli/language-server/later.ts";
import { createMatch } from "../../../../src/cli/language-server/regex.ts";
import { createWorld } from "../../../../src/cli/language-server/world.ts";

const folder = mkdtempSync(join(tmpdir(), "spectune-answers-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe("answers", () => {
  it("come later, are kept, and come anew when the stamp differs", async () => {
    let stamp = "a";
    let loaded = 0;
    const work = createWork();
    const answers = createAnswers(work, () => undefined, {
      key: (question: string) => question,
      stamp: () => Promise.resolve(stamp),
      load: (question: string) => {
        loaded += 1;
        return question === "bad"
          ? Promise.reject(new Error("no"))
          : Promise.resolve(`${question}${loaded}`);
      },
    });
    assert.deepEqual(answers.ask("x"), { state: "pending" });
    assert.equal(await work.settled(1000), true);
    assert.deepEqual(answers.ask("x"), { state: "known", value: "x1" });
    answers.recheck();
    assert.deepEqual(answers.ask("x"), { state: "known", value: "x1" });
    await work.settled(1000);
    assert.equal(loaded, 1, "the stamp is the same");
    stamp = "b";
    answers.recheck();
    answers.ask("x");
    await work.settled(1000);
    assert.deepEqual(answers.ask("x"), { state: "known", value: "x2" });
    answers.ask("bad");
    await work.settled(1000);
    assert.deepEqual(answers.ask("bad"), {
      state: "absent",
      why: { code: "unreadable", message: "no" },
    });
    assert.equal(await work.settled(1000), false);
  });

  it("tell of columns, rows and labels", async () => {
    const rows = Array.from({ length: 70 }, (_, index) =>
      JSON.stringify({ text: `t ${index}`, label: index % 3 }),
    );
    const facts = await loadDataFacts(file("a.jsonl", rows.join("\n")));
    assert.deepEqual([facts.columns, facts.rows, facts.exact], [["text", "label"], 70, true]);
    assert.deepEqual([...facts.values], [["label", ["0", "1", "2"]]]);
    await assert.rejects(loadDataFacts(file("b.jsonl", "{}\nnot json")), /no JSON/);
    await assert.rejects(loadDataFacts(file("c.jsonl", "")), /no rows/);
  });

  it("see that a file has changed", async () => {
    const world = createWorld((error) => assert.fail(String(error)));
    const path = file("d.txt", "one");
    world.facts.text(path);
    await world.settled(1000);
    assert.deepEqual(world.facts.text(path), { state: "known", value: "one" });
    writeFileSync(path, "other");
    utimesSync(path, 1, 2);
    world.recheck();
    world.facts.text(path);
    await world.settled(1000);
    assert.deepEqual(world.facts.text(path), { state: "known", value: "other" });
    world.open(path, "typed");
    assert.deepEqual(world.facts.text(path), { state: "known", value: "typed" });
  });

  it("end an expression that takes for ever, and keep the answer", () => {
    const match = createMatch();
    const names = ["model.layers.0.self_attn.q_proj"];
    const begin = performance.now();
    for (let count = 0; count < 5; count += 1)
      assert.equal(match("(([a-z_.0-9]+)+)+!", names).ok, false);
    assert.ok(performance.now() - begin < 5000);
    assert.deepEqual(match(".*q_proj", names), { ok: true, matches: [true] });
    assert.equal(match("(", names).ok, false);
  });

  it("do long work in a pause, once, and never again what failed", async () => {
    const failures: unknown[] = [];
    const done: string[] = [];
    const later = createLater(
      () => undefined,
      (error) => failures.push(error),
    );
    later.add("a", () => done.push("old"));
    later.add("a", () => done.push("new"));
    later.add("b", () => {
      throw new Error("no");
    });
    while (!later.isDone()) await new Promise((resolve) => setTimeout(resolve, 20));
    later.add("b", () => done.push("again"));
    assert.deepEqual([done, failures.length, later.isDone()], [["new"], 1, true]);
  });
});
