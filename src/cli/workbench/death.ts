/** @file Why a run is no more, in words: what its record, its last lines and the machine's memory say. */
import type { Json } from "../../shared/schema.ts";
import type { Death } from "../../shared/run-head.ts";
import type { RunState } from "../../shared/run-state.ts";
import type { RunView } from "../../shared/run-view.ts";

export interface Evidence {
  readonly state: RunState;
  readonly view: Pick<RunView, "error" | "progress" | "peakMemoryBytes" | "started" | "steps">;
  readonly config: Readonly<Record<string, Json>>;
  readonly lastLines: readonly string[];
  /** Of the machine that reads, where it is the one that ran it. */
  readonly machineBytes: number | undefined;
}

const outOfMemory =
  /out of memory|bad_alloc|failed to allocate|cannot allocate|allocation failed|ENOMEM/i;

/** A process that took more than this share of the memory and vanished was most likely ended for it. */
const suspiciousShare = 0.8;

/** Nothing of a run that lives or ended well. */
export function deathOf(evidence: Evidence): Death | undefined {
  const { state, view, lastLines } = evidence;
  if (state === "failed") {
    const { message = "The run failed.", remedy } = view.error ?? {};
    if (outOfMemory.test(message)) return memoryDeath(evidence, message);
    return { kind: "failed", message, ...(remedy === undefined ? {} : { remedy }), lastLines };
  }
  if (state === "stale-unknown")
    return {
      kind: "silent",
      message: `The run has not been heard of for long, and runs on ${view.started?.host ?? "another machine"}, which cannot be looked at from here.`,
      remedy: "Look there; if that process is gone, Resume goes on from the last checkpoint.",
      lastLines,
    };
  if (state !== "crashed") return undefined;
  const said = lastLines.find((line) => outOfMemory.test(line));
  if (said !== undefined) return memoryDeath(evidence, said);
  const { machineBytes, view: seen } = evidence;
  const peak = Math.max(
    seen.peakMemoryBytes ?? 0,
    seen.steps.length === 0 ? (seen.started?.plan.peakMemoryBytes ?? 0) : 0,
  );
  if (machineBytes !== undefined && peak > suspiciousShare * machineBytes)
    return memoryDeath(
      evidence,
      `The process was ended from outside, most likely for its memory: ${gigabytes(peak)} of the machine's ${gigabytes(machineBytes)}.`,
    );
  return {
    kind: "killed",
    message: `The process was ended from outside ${during(evidence)}.`,
    remedy: "Resume goes on from the last checkpoint.",
    lastLines,
  };
}

function memoryDeath(evidence: Evidence, message: string): Death {
  return {
    kind: "out-of-memory",
    message: `Out of memory ${during(evidence)}. ${message}`,
    remedy: fitting(evidence.config),
    lastLines: evidence.lastLines,
  };
}

const phases = {
  loading: "while the model was read",
  decomposing: "while weights were decomposed",
  compiling: "while programs were compiled",
  calibrating: "while it was calibrated",
  training: "while it trained",
  evaluating: "while it was evaluated: activations and logits",
  exporting: "while it was exported",
} as const;

/** Which part of the run it was. */
function during({ view: { progress, steps } }: Evidence): string {
  if (progress !== undefined) return phases[progress.phase];
  const last = steps[steps.length - 1];
  return last === undefined
    ? "before the first step"
    : `in the step after ${last.step}: activations, gradients and optimizer state`;
}

/** What would make it fit, most useful first; only what the experiment does not do already. */
function fitting(config: Readonly<Record<string, Json>>): string {
  const micro = config["train.micro_batch_size"];
  const length = config["data.max_length"];
  const ways = [
    ...(micro === 1 ? [] : ["`train.micro_batch_size: 1`"]),
    ...(config["train.gradient_checkpointing"] === true
      ? []
      : ["`train.gradient_checkpointing: true`"]),
    ...(config["method.type"] === "full" ? ["`method: lora`"] : []),
    ...(config["quantization.type"] === undefined && config["method.type"] !== "full"
      ? ["`quantization: nf4`"]
      : []),
    ...(typeof length === "number" && length > 128
      ? [`a smaller \`data.max_length\` than ${length}`]
      : []),
  ];
  return ways.length === 0
    ? "It takes a machine with more memory, or a smaller model."
    : `What needs less memory: ${ways.slice(0, 4).join(", ")}. Plan says how much.`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
