/** @file Chat templates: generation tags, turns found by rendering, the date, refusals. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compileChatTemplate } from "../../../../../src/engine/data/examples/chat-template.ts";
import { renderMessages } from "../../../../../src/engine/data/examples/messages.ts";
import { userError } from "../files.ts";

const place = { file: "data.jsonl", line: 3 };
const row = { index: 2, values: {}, place };
const now = new Date(2024, 6, 26);
const messages = [
  { role: "user", content: "a" },
  { role: "assistant", content: "bcd" },
  { role: "user", content: "e" },
];
const compile = (source: string): ReturnType<typeof compileChatTemplate> =>
  compileChatTemplate(source, { bos_token: "<s>" }, now);

/** The conversation with what is trained on in brackets. */
function spans(source: string, loss: "assistant" | "completion" = "assistant"): string {
  const { text, trained } = renderMessages(row, messages, compile(source), loss);
  assert.notEqual(trained, "all");
  let shown = text;
  if (trained !== "all")
    for (const [start, end] of trained.toReversed())
      shown = `${shown.slice(0, start)}[${shown.slice(start, end)}]${shown.slice(end)}`;
  return shown;
}

test("generation tags mark what the assistant says and leave no trace", () => {
  const source = `{{ bos_token }}
{%- for m in messages %}
    {%- if m.role == 'assistant' %}
A:{% generation %} {{ m.content }}!{% endgeneration %}

    {%- else %}
U: {{ m.content }}
    {%- endif %}
{%- endfor %}`;
  assert.equal(spans(source), "<s>U: aA:[ bcd!]U: e");
});

test("tags on lines of their own take their line along, as block tags do", () => {
  const source =
    "{% for m in messages %}\n{{ m.role }}:\n  {% generation %}\n{{ m.content }}\n  {% endgeneration %}\n{% endfor %}";
  assert.equal(spans(source), "user:\n[a\n]assistant:\n[bcd\n]user:\n[e\n]");
});

test("without tags, turns are found by rendering the conversation turn by turn", () => {
  const source =
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";
  assert.equal(spans(source), "<user>a\n<assistant>[bcd\n]<user>e\n");
});

test("a template that renders earlier turns differently is refused with the reason", () => {
  const closing =
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% if loop.last and m.role == 'assistant' %}!{% endif %}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";
  assert.throws(
    () => spans(closing),
    userError("assistant-turns-unknown", 3, /message 2 differently once others follow.*generation/),
  );
  const prompting =
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<assistant>think{% endif %}";
  assert.throws(
    () => spans(prompting),
    userError("assistant-turns-unknown", 3, /differently from how it prompts/),
  );
});

test("the date is the one given", () => {
  const { text } = compile("{{ strftime_now('%d %b %Y, %H:%M %B %%') }}").render(messages, {
    place,
  });
  assert.equal(text, "26 Jul 2024, 00:00 July %");
});

test("strip takes the characters it is given, and any line break is one", () => {
  const source =
    "{{ messages[0].content.lstrip('\\n') + '|' + '//x/'.strip('/').rstrip('x') + '|' + ' y '.strip() }}\r\n{% if true %}\r\n.{% endif %}";
  const { text } = compile(source).render([{ role: "user", content: "\n\n a" }], { place });
  assert.equal(text, " a||y\n.");
});

test("tools and other variables reach the template", () => {
  const template = compile("{% for t in tools %}{{ t.name }}{% endfor %}{{ messages | length }}");
  const named = { index: 0, values: { tools: '[{"name": "add"}]' }, place };
  assert.equal(renderMessages(named, messages, template, "all").text, "add3");
});

test("templates that are malformed or refuse the messages", () => {
  assert.throws(
    () => compile("{% for %}"),
    userError("malformed-chat-template", undefined, /cannot be read/),
  );
  const strict = compile("{{ raise_exception('roles must alternate') }}");
  assert.throws(
    () => strict.render(messages, { place }),
    userError("chat-template-refused", 3, /roles must alternate/),
  );
});
