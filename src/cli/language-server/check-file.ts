/** @file Checks an experiment file once, as an editor does while it is written, and waits for all there is to say. */
import { analyse } from "../../../server/src/analysis.ts";
import type { Facts } from "../../../server/src/facts.ts";
import type { DocumentFinding } from "../../../server/src/findings.ts";
import { findingsOf } from "../../../server/src/findings.ts";
import { catalogFields } from "../../engine/catalog.ts";
import { matchMs } from "../../engine/session/prepare-run.ts";
import type { Unreadable } from "../../shared/experiment/extends.ts";
import { expandSweep } from "../../shared/experiment/sweep.ts";
import type { Normalised } from "../../shared/experiment/normalise.ts";
import { createWorld } from "./world.ts";

export interface CheckedFile extends Pick<Normalised, "experiment" | "document"> {
  readonly findings: readonly DocumentFinding[];
  /** Runs of its sweep; undefined where it has none. */
  readonly sweepRuns: number | undefined;
}

export interface FileToCheck {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
  /** `field=value`, which go before what the file says. */
  readonly overrides: readonly string[];
  /** Texts of files that it extends. */
  readonly otherText: (file: string) => string | Unreadable | undefined;
}

/** Looks at the model's headers, the data, adapters and the machine too. */
export async function checkFile({
  file,
  text,
  overrides,
  otherText,
}: FileToCheck): Promise<CheckedFile> {
  const defects: unknown[] = [];
  const world = createWorld((error) => defects.push(error), matchMs);
  const facts: Facts = { ...world.facts, text: (path) => known(otherText(path)) };
  const asked = { file: file.replaceAll("\\", "/"), text, overrides };
  const [findings, { normalised }] = await world.complete(() => {
    const analysis = analyse(asked, facts);
    return [findingsOf(analysis), analysis] as const;
  });
  for (const defect of defects) throw defect;
  const { experiment, document } = normalised;
  const sweepRuns =
    experiment?.sweep == null
      ? undefined
      : expandSweep(normalised, catalogFields).value?.runs.length;
  return { experiment, document, findings, sweepRuns };
}

function known(text: string | Unreadable | undefined): ReturnType<Facts["text"]> {
  if (typeof text === "string") return { state: "known", value: text };
  if (text === undefined)
    return { state: "absent", why: { code: "no-such-file", message: "There is no such file." } };
  return {
    state: "absent",
    why: { code: "no-experiment", message: text.is, remedy: text.remedy },
  };
}
