/** @file Where a run computes, and why: said, never silent. Pure; what the machine has comes in as facts. */
import type { Finding } from "../../shared/findings.ts";
import type { DeviceChoice } from "../../shared/protocol.ts";
import type { Device } from "../onnx/emitter.ts";

export interface DeviceFields {
  readonly device: "auto" | Device;
  readonly threads: number | null;
}

/** What matters of a machine. */
export interface MachineFacts {
  /** Whether the system has a GPU's driver, as far as its files tell. */
  readonly gpuDriver: boolean;
  /** Cores that this process may use. */
  readonly cores: number;
}

export interface ChosenDevice extends DeviceChoice {
  readonly chosen: Device;
  readonly threads: number;
}

/** The device of a run. `auto` computes on the CPU, the only device whose speed and memory are known here. */
export function chooseDevice(
  { device, threads }: DeviceFields,
  { gpuDriver, cores }: MachineFacts,
): ChosenDevice {
  const count = threads ?? cores;
  if (device !== "auto")
    return {
      requested: device,
      chosen: device,
      reason: "The experiment asks for it.",
      threads: count,
    };
  const reason = gpuDriver
    ? "There is a GPU driver, but training on a real GPU is not verified: run.device: webgpu tries it."
    : "No GPU driver was found.";
  return { requested: device, chosen: "cpu", reason, threads: count };
}

/** From here on a GPU that stands idle is worth a word. */
const longSeconds = 600;

/** What to tell where `auto` leaves a GPU unused although the run is long. */
export function slowChoice(
  { requested, chosen }: DeviceChoice,
  { gpuDriver }: MachineFacts,
  estimatedSeconds: number,
): Finding | undefined {
  if (requested !== "auto" || chosen !== "cpu" || !gpuDriver || estimatedSeconds <= longSeconds)
    return undefined;
  return {
    code: "gpu-not-used",
    severity: "warning",
    message: `The run takes about ${Math.round(estimatedSeconds / 60)} minutes on the CPU, and there is a GPU driver.`,
    remedy: "Set run.device: webgpu to try the GPU, or run.device: cpu to say that this is meant.",
  };
}
