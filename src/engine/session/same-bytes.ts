/** @file What the promise of the same bytes rests on, and whether a resumed run still stands there. */
import type { Finding } from "../../shared/findings.ts";
import type { Started } from "../../shared/protocol.ts";

/** Where an attempt computes, as its first event says it. */
export type Conditions = Pick<Started, "host" | "platform" | "versions" | "device">;

/** The head of a run's record, as YAML comments: what it was made from, and where its bytes can be had again. */
export function recordHeader(
  { platform, versions, device }: Omit<Conditions, "host">,
  inputs: Readonly<Record<string, string>>,
): string {
  const entries = (record: Readonly<Record<string, string>>, between: string): readonly string[] =>
    Object.entries(record).map(([name, value]) => `${name}${between}${value}`);
  const lines = [
    entries(versions, " ").join(", "),
    `${device.chosen}, ${device.threads ?? 1} threads, ${platform}: on the same machine with these, and seed and files below, a run ends with the same bytes`,
    ...entries(inputs, " sha256 "),
  ];
  return lines.map((line) => `# ${line}\n`).join("");
}

/**
 * Same bytes are promised for the same machine, number of threads and versions. A warning where a resumed run
 * goes on under other conditions than it began under.
 */
export function changedConditions(first: Conditions, now: Conditions): Finding | undefined {
  const pairs: readonly (readonly [what: string, before: unknown, after: unknown])[] = [
    ["device", first.device.chosen, now.device.chosen],
    ["threads", first.device.threads, now.device.threads],
    ["machine", first.host, now.host],
    ["platform", first.platform, now.platform],
    ...Object.keys(now.versions).map(
      (name) => [`version of ${name}`, first.versions[name], now.versions[name]] as const,
    ),
  ];
  const changed = pairs.filter(([, before, after]) => before !== undefined && before !== after);
  if (changed.length === 0) return undefined;
  const list = changed.map(
    ([what, before, after]) => `${what} ${String(before)}, now ${String(after)}`,
  );
  return {
    code: "resumed-elsewhere",
    severity: "warning",
    message: `The run began under other conditions (${list.join("; ")}): it may not end with the same bytes as one that was not interrupted.`,
    remedy:
      "Where the bytes matter, resume on the same machine with the same run.threads and versions.",
  };
}
