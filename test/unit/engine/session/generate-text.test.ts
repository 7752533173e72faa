/** @file Text is generated without compiling anew, streams in pieces, and ends where it should. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { describe, it } from "node:test";
import { loadTokenizer } from "../../../../src/engine/data/tokenizer/load-tokenizer.ts";
import type { LoadedTokenizer } from "../../../../src/engine/data/tokenizer/load-tokenizer.ts";
import type { TextOptions } from "../../../../src/engine/session/generate-text.ts";
import {
  endTokens,
  generateText,
  promptIds,
} from "../../../../src/engine/session/generate-text.ts";
import type { OpenInference } from "../../../../src/engine/session/open-for-inference.ts";
import { openForInference } from "../../../../src/engine/session/open-for-inference.ts";
import { tinyLlama, writeTinyModel } from "../../../support/workspace.ts";
import { scratch } from "../runs/scratch.ts";

const greedy: TextOptions = {
  maxNewTokens: 12,
  temperature: 0,
  seed: 0,
  stop: [],
  endTokens: new Set(),
};

interface Opened {
  readonly open: OpenInference;
  readonly tokenizer: LoadedTokenizer;
}

async function openTiny(t: TestContext): Promise<Opened> {
  const folder = join(scratch(t), "model");
  writeTinyModel(folder, { ...tinyLlama, max_position_embeddings: 512 }, "causal-lm");
  const open = await openForInference(
    {
      reference: { id: folder },
      task: "causal-lm",
      trained: { kind: "none" },
      quantization: null,
      device: { device: "cpu", threads: 1 },
    },
    { base: "/", env: {}, home: "/" },
    () => undefined,
  );
  t.after(() => open.close());
  return { open, tokenizer: await loadTokenizer(folder) };
}

describe("generating text", () => {
  it("compiles nothing for 200 tokens after the second, and nothing for another prompt", async (t) => {
    const { open, tokenizer } = await openTiny(t);
    const { cache } = open.context;
    const generate = async (prompt: string, onPiece: () => void) =>
      generateText(
        open.context,
        tokenizer,
        promptIds(tokenizer, prompt),
        { ...greedy, maxNewTokens: 200, temperature: 1 },
        onPiece,
      );
    const counts = new Set<number>();
    let pieces = 0;
    const { tokens, ended } = await generate("The sun", () => {
      if (++pieces > 2) counts.add(cache.compiled());
    });
    assert.deepEqual([tokens, ended], [200, "length"]);
    assert(pieces > 20);
    assert.deepEqual([...counts], [cache.compiled()]);
    const before = cache.compiled();
    await generate("A rather longer one", () => undefined);
    assert.equal(cache.compiled(), before);
  });

  it("gives pieces that add up to the text, the same for the same seed", async (t) => {
    const { open, tokenizer } = await openTiny(t);
    const prompt = promptIds(tokenizer, "The sun");
    const text = async (seed: number): Promise<string> => {
      let streamed = "";
      const options = { ...greedy, temperature: 1, seed };
      const made = await generateText(open.context, tokenizer, prompt, options, (piece) => {
        streamed += piece;
      });
      assert.equal(streamed, made.text);
      return streamed;
    };
    assert.equal(await text(1), await text(1));
    assert.notEqual(await text(1), await text(2));
  });

  it("ends before a stop text, of which no part was given out, and at an end token", async (t) => {
    const { open, tokenizer } = await openTiny(t);
    const prompt = promptIds(tokenizer, "The sun");
    const run = async (options: Partial<TextOptions>) => {
      const pieces: string[] = [];
      const made = await generateText(
        open.context,
        tokenizer,
        prompt,
        { ...greedy, maxNewTokens: 40, temperature: 1, seed: 3, ...options },
        (piece) => pieces.push(piece),
      );
      assert.equal(pieces.join(""), made.text);
      return made;
    };
    const whole = await run({});
    const place = Math.floor(whole.text.length / 2);
    const stop = whole.text.slice(place, place + 3);
    const cut = await run({ stop: ["no such text", stop] });
    assert.equal(cut.text, whole.text.slice(0, whole.text.indexOf(stop)));
    assert.equal(cut.ended, "stop");
    const unmet = await run({ stop: [`${stop}?!`] });
    assert.equal(unmet.text, whole.text);

    const all = Array.from({ length: open.context.model.sizes.vocabulary }, (_, id) => id);
    const none = await run({ endTokens: new Set(all) });
    assert.deepEqual([none.text, none.tokens, none.ended], ["", 0, "stop"]);
  });

  it("refuses a prompt that leaves no room", async (t) => {
    const { open, tokenizer } = await openTiny(t);
    await assert.rejects(
      generateText(open.context, tokenizer, new Int32Array(512), greedy, () => undefined),
      { code: "prompt-too-long" },
    );
    assert((await endTokens(tokenizer, "/nowhere")).size <= 1);
  });
});
