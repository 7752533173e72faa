/** @file Where a run computes, and why: said, never silent. */
import { existsSync } from "node:fs";
import { UserError } from "../../shared/errors.ts";
import type { DeviceChoice } from "../../shared/protocol.ts";
import { defaultThreads } from "./open-network.ts";

export interface DeviceFields {
  readonly device: "auto" | "cpu" | "webgpu" | "cuda" | "dml" | "coreml";
  readonly threads: number | null;
}

/** Files by which the system shows a GPU's driver. */
const driverFiles = ["/dev/nvidia0", "/dev/nvidiactl", "/dev/dri/renderD128", "/dev/dxg"];

/** Whether the system has a GPU driver, as far as its files tell. */
export function hasGpuDriver(): boolean {
  return driverFiles.some((file) => existsSync(file));
}

/** The device of a run. `auto` computes on the CPU, the only device whose numbers are tested for training. */
export function chooseDevice({
  device,
  threads,
}: DeviceFields): DeviceChoice & { readonly chosen: Exclude<DeviceFields["device"], "auto"> } {
  const count = threads ?? defaultThreads();
  if (device !== "auto")
    return {
      requested: device,
      chosen: device,
      reason: "The experiment asks for it.",
      threads: count,
    };
  const reason = hasGpuDriver()
    ? "There is a GPU driver, but training on it is not verified: set run.device: webgpu to try it."
    : "No GPU driver was found.";
  return { requested: device, chosen: "cpu", reason, threads: count };
}

/** Refuses by name an arithmetic that the device does not have. */
export function checkComputeDtype(
  dtype: "auto" | "float32" | "float16" | "bfloat16",
  device: string,
): void {
  if (dtype === "auto" || dtype === "float32") return;
  throw new UserError({
    code: "unsupported-compute-dtype",
    message: `train.compute_dtype is ${dtype}; on ${device} the arithmetic is float32.`,
    place: { file: "", field: "train.compute_dtype" },
    remedy: "Leave it at auto. Frozen 16-bit weights stay 16 bits in memory in any case.",
  });
}

/** What to tell where `auto` leaves a GPU unused although the run is long. */
export function slowChoice(choice: DeviceChoice, estimatedSeconds: number): string | undefined {
  if (
    choice.requested !== "auto" ||
    choice.chosen !== "cpu" ||
    !hasGpuDriver() ||
    estimatedSeconds < 600
  )
    return undefined;
  return "The run is estimated at more than ten minutes on the CPU while a GPU driver is present; run.device: webgpu may be faster.";
}
