/** @file Each format's ids and what of them is trained on; what is cut, left out and refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { byteTokenizer, withBeginning, wordTokenizer } from "../tokenizer/small.ts";
import { userError } from "../files.ts";
import { build, loaded, marked } from "./settings.ts";

const tokenizer = byteTokenizer();
const withBos = byteTokenizer({ post_processor: withBeginning });

test("text: everything is trained on, and the end is written once, as TRL does", async () => {
  const built = await build([{ text: "ab" }, { text: "cd</s>" }]);
  assert.equal(built.form.format, "text");
  assert.equal(marked(built, tokenizer, 0), "[ab</s>]");
  assert.equal(marked(built, tokenizer, 1), "[cd</s>]");
  assert.deepEqual([...built.examples.rows], [0, 1]);
  // The first token of an example follows none.
  assert.equal(built.counts.trainedTokens, 4);
});

test("prompt-completion: the loss is on the completion and the end", async () => {
  const row = { prompt: "Q: x\n", completion: "y" };
  const built = await build([row], {}, { tokenizer: loaded(withBos) });
  assert.equal(built.form.format, "prompt-completion");
  assert.equal(marked(built, withBos), "<s>Q: x\n[y</s>]");
  assert.deepEqual(built.findings, []);
  assert.equal(marked(await build([row], { loss_on: "all" }), tokenizer), "[Q: x\ny</s>]");
});

test("prompt-completion: a template takes columns by role and by name, and braces", async () => {
  const built = await build([{ question: "x", lang: "en", answer: "y" }], {
    columns: {
      text: "text",
      text_pair: null,
      label: "label",
      messages: "messages",
      prompt: "question",
      completion: "answer",
    },
    template: "{{{lang}}} {prompt}: ",
  });
  assert.equal(marked(built, tokenizer), "{en} x: [y</s>]");
});

test("prompt-completion: a token across the boundary is trained on and counted", async () => {
  const built = await build([{ prompt: "t", completion: "he" }]);
  assert.equal(marked(built, tokenizer), "[the</s>]");
  assert.deepEqual(
    built.findings.map((finding) => finding.code),
    ["merged-boundary"],
  );
});

test("prompt-completion through the chat template", async () => {
  const built = await build([{ prompt: "x", completion: "y" }], { chat_template: "tokenizer" });
  assert.equal(marked(built, tokenizer), "<|user|>x</s><|assistant|>[y</s>]");
  const turns = {
    prompt: [{ role: "user", content: "x" }],
    completion: [{ role: "assistant", content: "y" }],
  };
  assert.equal(marked(await build([turns]), tokenizer), "<|user|>x</s><|assistant|>[y</s>]");
});

const conversation = [
  { role: "user", content: "a" },
  { role: "assistant", content: "b" },
  { role: "user", content: "c" },
  { role: "assistant", content: "d" },
];

test("messages: the assistant's turns, the last of them, or all", async () => {
  const rows = [{ messages: conversation }];
  const built = await build(rows);
  assert.equal(built.form.loss, "assistant");
  assert.equal(
    marked(built, tokenizer),
    "<|user|>a</s><|assistant|>[b</s>]<|user|>c</s><|assistant|>[d</s>]",
  );
  assert.equal(
    marked(await build(rows, { loss_on: "completion" }), tokenizer),
    "<|user|>a</s><|assistant|>b</s><|user|>c</s><|assistant|>[d</s>]",
  );
  const all = marked(await build(rows, { loss_on: "all" }), tokenizer);
  assert.ok(all.startsWith("[<|user|>a") && all.endsWith("d</s>]"));
});

test("messages as JSON text and as ShareGPT writes them", async () => {
  const text = await build([{ messages: JSON.stringify(conversation.slice(0, 2)) }]);
  assert.equal(marked(text, tokenizer), "<|user|>a</s><|assistant|>[b</s>]");
  const shared = await build([
    {
      conversations: [
        { from: "human", value: "a" },
        { from: "gpt", value: "b" },
      ],
    },
  ]);
  assert.equal(marked(shared, tokenizer), "<|user|>a</s><|assistant|>[b</s>]");
});

test("messages that are none, and a tokenizer without template, are refused", async () => {
  for (const messages of [[], "hi", [{ role: 3 }], [{ content: "x" }], null])
    await assert.rejects(build([{ messages }]), userError("malformed-messages", 1, /role/));
  await assert.rejects(
    build([{ messages: conversation }], {}, { tokenizer: loaded(tokenizer, "") }),
    userError("missing-chat-template", undefined, /no chat template/),
  );
});

const bert = loaded(wordTokenizer(["a", "b", "c"]));
const classify = { task: "sequence-classification", tokenizer: bert } as const;

test("labelled: pairs, types, and classes in sorted order", async () => {
  const built = await build(
    [
      { text: "a a", other: "b", label: "yes" },
      { text: "c", other: "a", label: "no" },
    ],
    {
      columns: {
        text: "text",
        text_pair: "other",
        label: "label",
        prompt: "",
        completion: "",
        messages: "",
      },
    },
    classify,
  );
  assert.deepEqual(built.target, { kind: "class", names: ["no", "yes"] });
  assert.deepEqual([...(built.examples.labels ?? [])], [1, 0]);
  assert.deepEqual([...built.examples.ids.subarray(0, 6)], [2, 4, 4, 3, 5, 3]);
  assert.deepEqual([...(built.examples.typeIds?.subarray(0, 6) ?? [])], [0, 0, 0, 0, 1, 1]);
});

test("labelled: whole numbers are ids, fractions a regression, and CSV's text either", async () => {
  const targets = async (labels: readonly unknown[], settings = {}): Promise<unknown> => {
    const built = await build(
      labels.map((label) => ({ text: "a", label })),
      settings,
      classify,
    );
    return [built.target, [...(built.examples.labels ?? [])]];
  };
  assert.deepEqual(await targets([2, 0, 1]), [
    { kind: "class", names: ["0", "1", "2"] },
    [2, 0, 1],
  ]);
  assert.deepEqual(await targets(["2", "0"]), [{ kind: "class", names: ["0", "1", "2"] }, [2, 0]]);
  assert.deepEqual(await targets([true, false]), [
    { kind: "class", names: ["false", "true"] },
    [1, 0],
  ]);
  assert.deepEqual(await targets([1, "0.5", -2]), [{ kind: "number" }, [1, 0.5, -2]]);
  assert.deepEqual(await targets([1, 2], { problem_type: "regression" }), [
    { kind: "number" },
    [1, 2],
  ]);
  assert.deepEqual(await targets(["b", 0], { labels: ["a", "b"] }), [
    { kind: "class", names: ["a", "b"] },
    [1, 0],
  ]);
});

test("labelled: unknown, missing and single labels are refused", async () => {
  const rows = (...labels: readonly unknown[]) => labels.map((label) => ({ text: "a", label }));
  const target = { kind: "class", names: ["positive", "negative"] } as const;
  await assert.rejects(
    build(rows("positive", "negativ"), {}, { ...classify, target }),
    userError(
      "unknown-label",
      2,
      /`negativ` is not among.*positive, negative.*Did you mean `negative`/,
    ),
  );
  await assert.rejects(
    build(rows("a", null), {}, classify),
    userError("unknown-label", 2, /holds nothing/),
  );
  await assert.rejects(
    build(rows("x"), { problem_type: "regression" }, classify),
    userError("unknown-label", 1, /no number/),
  );
  await assert.rejects(
    build(rows("x", "x"), {}, classify),
    userError("one-label", undefined, /label `x`/),
  );
});

test("what is too long is cut, left out or refused, and counted", async () => {
  const rows = [{ text: "abcdef" }, { text: "ab" }];
  const cut = await build(rows, { max_length: 4 });
  assert.deepEqual([marked(cut, tokenizer, 0), marked(cut, tokenizer, 1)], ["[abcd]", "[ab</s>]"]);
  assert.equal(cut.counts.tooLong, 1);
  assert.match(cut.findings[0]?.message ?? "", /1 of 2 rows have more than 4 tokens and were cut/);
  assert.equal((await build(rows, { max_length: 7 })).counts.tooLong, 0);
  const dropped = await build(rows, { max_length: 4, too_long: "drop" });
  assert.deepEqual([...dropped.examples.rows], [1]);
  assert.equal(dropped.counts.longest, 3);
  await assert.rejects(
    build(rows.toReversed(), { max_length: 4, too_long: "error" }),
    userError("example-too-long", 2, /7 tokens, more than `max_length` 4/),
  );
});

test("a labelled text that is cut keeps its special tokens", async () => {
  const rows = [
    { text: "a b c a b c", label: 0 },
    { text: "a", label: 1 },
  ];
  const built = await build(rows, { max_length: 4 }, classify);
  assert.deepEqual([...built.examples.ids.subarray(0, 4)], [2, 4, 5, 3]);
  assert.equal(built.counts.tooLong, 1);
});

test("examples without anything to train on are left out and counted", async () => {
  const rows = [
    { prompt: "abcdef", completion: "x" },
    { prompt: "a", completion: "x" },
  ];
  const built = await build(rows, { max_length: 4 });
  assert.deepEqual([...built.examples.rows], [1]);
  assert.equal(built.counts.untrained, 1);
  assert.ok(built.findings.some((finding) => finding.code === "nothing-trained"));
  await assert.rejects(
    build(rows.slice(0, 1), { max_length: 4 }),
    userError("no-examples", undefined, /None of the 1 rows.*nothing to train on.*Raise/),
  );
});

test("what is cut is what the whole text begins with, and long rows are told of before they are read", async () => {
  const text = "the other one, ".repeat(300);
  const rows = [
    [{ text }, {}],
    [{ prompt: "Q: x ", completion: text }, {}],
    [{ prompt: text, completion: "the end" }, { loss_on: "all" }],
    [
      {
        messages: [
          { role: "user", content: "x" },
          { role: "assistant", content: text },
        ],
      },
      {},
    ],
  ] as const;
  for (const [row, settings] of rows) {
    const whole = await build([row], { ...settings, max_length: 10_000 });
    const cut = await build([row], { ...settings, max_length: 40 });
    assert.deepEqual([...cut.examples.ids], [...whole.examples.ids.subarray(0, 40)]);
    assert.deepEqual([...cut.examples.trained], [...whole.examples.trained.subarray(0, 40)]);
    assert.equal(cut.counts.tooLong, 1);
    await assert.rejects(
      build([row], { ...settings, max_length: 40, too_long: "error" }),
      userError("example-too-long", 1, new RegExp(`has ${whole.counts.tokens} tokens`)),
    );
  }
  const told: number[] = [];
  const onProgress = (_: string, done: number): void => void told.push(done);
  const long = { text: "x ".repeat(2_000_000) };
  const built = await build(
    [{ text: "a" }, long, { text: "b" }],
    { max_length: 8 },
    { onProgress },
  );
  assert.deepEqual(told, [1]);
  assert.equal(built.counts.examples, 3);
});

test("a text that no expression can take is refused with its row", async () => {
  const text = "中".repeat(12_000_000);
  await assert.rejects(
    build([{ text: "a" }, { text }]),
    userError("text-without-break", 2, /Break the text/),
  );
});

test("no rows, no end of sequence, no such column", async () => {
  await assert.rejects(build([]), userError("empty-data", undefined, /no rows/));
  const plain = await build([{ text: "ab" }], {}, { tokenizer: loaded(byteTokenizer({}, {})) });
  assert.deepEqual(
    plain.findings.map((finding) => finding.code),
    ["no-end-token"],
  );
  await assert.rejects(
    build([{ txet: "a" }]),
    userError("missing-column", 1, /no kind of example: it has `txet`\..*`txet` the `text`\?/),
  );
  await assert.rejects(
    build([{ prompt: "a", answer: "b" }]),
    userError(
      "missing-column",
      1,
      /`prompt` without `completion`; it has `prompt`, `answer`\..*`messages`/,
    ),
  );
  await assert.rejects(
    build([{ prompt: "a", completion: "b" }], { template: "{prompt" }),
    userError("malformed-template", undefined, /brace/),
  );
});
