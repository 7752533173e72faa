/** @file Lines of the run protocol: every event survives the wire, every bad line gives a finding. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  decodeEvent,
  decodeRequest,
  encodeEvent,
  encodeRequest,
} from "../../../src/shared/protocol-wire.ts";
import {
  protocolVersion,
  type EventBodies,
  type EventBody,
  type EventType,
} from "../../../src/shared/protocol.ts";
import { isRecord } from "../../../src/shared/wire.ts";

const place = { file: "events.ndjson", line: 7 };
const decode = (text: string) => decodeEvent({ text, start: 0, end: text.length + 1 }, place);

const summary = {
  status: "stopped",
  steps: 3,
  trainLoss: 1.5,
  evalBefore: { loss: 3, perplexity: 20.1, score: 0.25 },
  evalAfter: { loss: 1 },
  trainableParameters: 10,
  peakMemoryBytes: 2 ** 33,
  tokensPerSecond: 12.5,
} as const;

/** At least one event of each type, with and without its optional fields. */
const samples: { readonly [T in EventType]: readonly EventBodies[T][] } = {
  started: [
    {
      run: "20260203-140509-lora",
      host: "h",
      pid: 1,
      platform: "linux-x64",
      versions: { spectune: "0.1.0", node: "24.0.0" },
      device: { requested: "auto", chosen: "cpu", reason: "No accelerator.", threads: 2 },
      plan: {
        trainableParameters: 1,
        totalParameters: 2,
        peakMemoryBytes: 3,
        steps: 4,
        estimatedSeconds: 0.5,
      },
      resumedFrom: 0,
    },
  ],
  progress: [
    { phase: "loading", done: 0 },
    { phase: "evaluating", done: 1, total: 2, detail: "test" },
  ],
  step: [
    {
      step: 1,
      epoch: 0.25,
      loss: Number.NaN,
      lr: 2e-4,
      gradNorm: Number.POSITIVE_INFINITY,
      tokens: 1024,
      tokensPerSecond: 200.5,
      seconds: 5.1,
      memoryBytes: 1,
      metrics: { aux: Number.NEGATIVE_INFINITY, ["__proto__"]: 1 },
    },
  ],
  eval: [
    {
      split: "test",
      moment: "after",
      step: 3,
      epoch: 1,
      metrics: { loss: 1.25 },
      examples: 10,
      seconds: 0,
      results: "analysis/test.json",
    },
  ],
  checkpoint: [
    { step: 3, folder: "checkpoints/step-3", bytes: 9, seconds: 0.1, reason: "stop", best: true },
  ],
  finding: [
    {
      finding: {
        code: "a-code",
        severity: "warning",
        message: "m",
        place: { file: "f", line: 1, column: 2, field: "train" },
        remedy: "r",
      },
    },
  ],
  log: [{ level: "info", message: "line\nbreak \u2028 \ud800 😀" }],
  analysis: [
    {
      kind: "intruders",
      step: 3,
      epoch: 0.5,
      file: "a.json",
      metrics: { intruders: 2 },
      seconds: 1.5,
    },
  ],
  sample: [{ step: 0, prompt: "p", completion: "c", expected: "e" }],
  ended: [{ summary }, { summary, error: { code: "c", message: "m", remedy: "r" } }],
};

function bodiesOf<T extends EventType>(type: T) {
  return samples[type].map((body) => ({ type, ...body }));
}
const all: readonly EventBody[] = [
  ...bodiesOf("started"),
  ...bodiesOf("progress"),
  ...bodiesOf("step"),
  ...bodiesOf("eval"),
  ...bodiesOf("checkpoint"),
  ...bodiesOf("finding"),
  ...bodiesOf("log"),
  ...bodiesOf("analysis"),
  ...bodiesOf("sample"),
  ...bodiesOf("ended"),
];

describe("events on the wire", () => {
  for (const body of all) {
    const event = { attempt: 2, time: 1.7e12, ...body };
    it(`gives back ${body.type}, whatever its values`, () => {
      const line = encodeEvent(event);
      assert.equal(line.indexOf("\n"), line.length - 1);
      assert.deepEqual(decode(line.slice(0, -1)), { value: event, findings: [] });
    });

    it(`takes no part of ${body.type} for the whole`, () => {
      const line = encodeEvent(event).slice(0, -1);
      for (let length = 0; length < line.length; length += 1) {
        const { value, findings } = decode(line.slice(0, length));
        assert.equal(value, undefined);
        assert.deepEqual([findings.length, findings[0]?.place], [1, place]);
      }
    });

    it(`names the field of ${body.type} that is missing or of another type`, () => {
      const record: unknown = JSON.parse(encodeEvent(event));
      assert.ok(isRecord(record));
      for (const key of Object.keys(event)) {
        if (key === "type") continue;
        const line: string = JSON.stringify({ ...record, [key]: [] });
        const { value, findings } = decode(line);
        assert.equal(value, undefined, line);
        assert.ok(findings[0]?.message.includes(`damaged: ${key} is not`), findings[0]?.message);
      }
    });
  }

  it("leaves out what it does not know, so that a later program may add fields", () => {
    const line = encodeEvent({ attempt: 1, time: 0, type: "log", level: "info", message: "m" });
    const more = line.replace("{", '{"colour":"red","__proto__":{"x":1},').trimEnd();
    const { value } = decode(more);
    assert.deepEqual(value, { attempt: 1, time: 0, type: "log", level: "info", message: "m" });
  });

  const bad = {
    "": "malformed-line",
    null: "malformed-line",
    "[]": "malformed-line",
    "{}": "malformed-line",
    "\u0000\u0000\u0000": "malformed-line",
    '{"v":"1","type":"log"}': "malformed-line",
    [`{"v":${protocolVersion + 1},"type":"log","level":"info","message":"m"}`]: "newer-version",
    '{"v":1,"type":"dance","attempt":1,"time":0}': "unknown-message",
    '{"v":1,"type":"toString","attempt":1,"time":0}': "unknown-message",
    '{"v":1,"type":"log","attempt":1.5,"time":0,"level":"info","message":"m"}': "malformed-line",
    '{"v":1,"type":"log","attempt":-1,"time":0,"level":"info","message":"m"}': "malformed-line",
    ["[".repeat(200_000)]: "malformed-line",
    [`{"v":1,"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`]: "unknown-message",
  } as const;
  for (const [line, code] of Object.entries(bad))
    it(`answers ${JSON.stringify(line.slice(0, 40))} with ${code}`, () => {
      const { value, findings } = decode(line);
      assert.equal(value, undefined);
      assert.deepEqual(
        findings.map((finding) => finding.code),
        [code],
      );
    });

  it("names a line that was too long to keep", () => {
    assert.equal(decodeEvent({ start: 0, end: 2 ** 21 }, place).findings[0]?.code, "overlong-line");
  });
});

describe("requests on the wire", () => {
  it("gives them back", () => {
    for (const request of [{ type: "stop" }, { type: "checkpoint", attempt: 3 }] as const)
      assert.deepEqual(decodeRequest(encodeRequest(request), place).value, request);
  });

  it("refuses what is none", () => {
    for (const line of ["", "stop", '{"v":1,"type":"log"}', '{"v":1,"type":"stop","attempt":"1"}'])
      assert.deepEqual(
        [decodeRequest(line, place).value, decodeRequest(line, place).findings.length],
        [undefined, 1],
      );
  });
});
