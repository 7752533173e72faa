/** @file Lines of the run protocol to values and back: a bad line gives a finding, never a throw. */
import type { Place } from "./errors.ts";
import type { Checked, Finding } from "./findings.ts";
import type { Line } from "./lines.ts";
import {
  protocolVersion,
  requestTypes,
  type EventBodies,
  type EventStamp,
  type EventType,
  type Metrics,
  type RunEvent,
  type RunRequest,
  type RunSummary,
  type Scores,
} from "./protocol.ts";
import {
  count,
  flag,
  isProblem,
  isRecord,
  mapOf,
  object,
  oneOf,
  parseJson,
  real,
  tagged,
  text,
  type Decoder,
  type Problem,
} from "./wire.ts";

/** One line of the event stream, newline included. Numbers that JSON lacks are written as words. */
export function encodeEvent(event: RunEvent): string {
  return encode({ ...event });
}

/** One line for the engine's standard input, or the content of a request file. */
export function encodeRequest(request: RunRequest): string {
  return encode({ ...request });
}

/** The event of one line; `undefined` with a finding for a line that is damaged, newer or unknown. */
export function decodeEvent(line: Line, place: Place): Checked<RunEvent | undefined> {
  if (line.text === undefined)
    return refuse(place, "overlong-line", `A line of ${line.end - line.start} bytes is no event.`);
  return decodeLine(line.text, place, (record, type) => {
    if (typeof type !== "string" || !Object.hasOwn(bodies, type)) return undefined;
    const stamped = stamp(record, "");
    if (isProblem(stamped)) return stamped;
    const body = eventBody(record, "");
    return isProblem(body) ? body : { ...stamped, ...body };
  });
}

/** The request of one line; `undefined` with a finding for a line that is damaged, newer or unknown. */
export function decodeRequest(line: string, place: Place): Checked<RunRequest | undefined> {
  return decodeLine(line, place, (record, type) =>
    requestTypes.some((known) => known === type) ? request(record, "") : undefined,
  );
}

const metrics: Decoder<Metrics> = mapOf(real);
const finding = object<Finding>(
  { code: text, severity: oneOf("error", "warning", "info"), message: text },
  {
    place: object<Place>({ file: text }, { line: count, column: count, field: text }),
    remedy: text,
  },
);
const scores = object<Scores>({ loss: real }, { perplexity: real, score: real });
const summary = object<RunSummary>(
  {
    status: oneOf("finished", "stopped", "failed"),
    steps: count,
    trainableParameters: count,
    peakMemoryBytes: count,
    tokensPerSecond: real,
  },
  { trainLoss: real, evalBefore: scores, evalAfter: scores },
);
const stamp = object<EventStamp>({ attempt: count, time: real }, {});
const request = object<RunRequest>({ type: oneOf(...requestTypes) }, { attempt: count });

const bodies: { readonly [T in EventType]: Decoder<EventBodies[T]> } = {
  started: object(
    {
      run: text,
      host: text,
      pid: count,
      platform: text,
      versions: mapOf(text),
      device: object<EventBodies["started"]["device"]>(
        { requested: text, chosen: text, reason: text },
        { threads: count },
      ),
      plan: object<EventBodies["started"]["plan"]>(
        {
          trainableParameters: count,
          totalParameters: count,
          peakMemoryBytes: count,
          steps: count,
        },
        { estimatedSeconds: real },
      ),
    },
    { resumedFrom: count, begun: real, inputs: mapOf(text) },
  ),
  progress: object(
    {
      phase: oneOf(
        "loading",
        "decomposing",
        "compiling",
        "calibrating",
        "training",
        "evaluating",
        "exporting",
      ),
      done: count,
    },
    { total: count, detail: text },
  ),
  step: object(
    {
      step: count,
      epoch: real,
      loss: real,
      lr: real,
      tokens: count,
      tokensPerSecond: real,
      seconds: real,
      memoryBytes: count,
    },
    { gradNorm: real, metrics },
  ),
  eval: object(
    {
      split: oneOf("train", "eval", "test", "general"),
      moment: oneOf("before", "during", "after"),
      step: count,
      epoch: real,
      metrics,
      examples: count,
      seconds: real,
    },
    { results: text },
  ),
  checkpoint: object(
    {
      step: count,
      folder: text,
      bytes: count,
      seconds: real,
      reason: oneOf("schedule", "request", "stop", "end"),
    },
    { best: flag },
  ),
  finding: object({ finding }, {}),
  log: object({ level: oneOf("debug", "info", "warning", "error"), message: text }, {}),
  sample: object({ step: count, prompt: text, completion: text }, { expected: text }),
  analysis: object(
    {
      kind: oneOf("spectra", "intruders"),
      step: count,
      epoch: real,
      file: text,
      metrics: mapOf(real),
      seconds: real,
    },
    {},
  ),
  ended: object(
    { summary },
    {
      error: object<NonNullable<EventBodies["ended"]["error"]>>(
        { code: text, message: text },
        { remedy: text },
      ),
    },
  ),
};

const eventBody = tagged<EventBodies>(bodies);

/** Parses, looks at version and type, and hands the record on; `undefined` from `decode` is an unknown type. */
function decodeLine<T>(
  line: string,
  place: Place,
  decode: (record: Readonly<Record<string, unknown>>, type: unknown) => T | Problem | undefined,
): Checked<T | undefined> {
  const record = parseJson(line);
  if (!isRecord(record) || typeof record["v"] !== "number")
    return refuse(place, "malformed-line", "This line is not a message of Spectune.");
  if (record["v"] > protocolVersion)
    return refuse(
      place,
      "newer-version",
      `This line has version ${record["v"]} of the protocol; this program knows up to ${protocolVersion}.`,
      "Read the run with the version of Spectune that wrote it, or a later one.",
    );
  const decoded = decode(record, record["type"]);
  if (decoded === undefined)
    return refuse(
      place,
      "unknown-message",
      "This line has a type that this program does not know.",
    );
  if (isProblem(decoded))
    return refuse(place, "malformed-line", `This line is damaged: ${decoded.problem}.`);
  return { value: decoded, findings: [] };
}

function encode(message: Readonly<Record<string, unknown>>): string {
  const words = (_key: string, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  return `${JSON.stringify({ v: protocolVersion, ...message }, words)}\n`;
}

function refuse(place: Place, code: string, message: string, remedy?: string): Checked<undefined> {
  const base = { code, severity: "warning", message, place } as const;
  return { value: undefined, findings: [remedy === undefined ? base : { ...base, remedy }] };
}
