/** @file What this machine has: for choosing a device, and for what fits into it. */
import { existsSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import type { MachineFacts } from "./choose-device.ts";

/** Files by which Linux shows a GPU's driver; macOS and Windows have one for every display. */
const driverFiles = ["/dev/nvidia0", "/dev/nvidiactl", "/dev/dri/renderD128", "/dev/dxg"];

export function machineFacts(): MachineFacts {
  return {
    gpuDriver: process.platform !== "linux" || driverFiles.some((file) => existsSync(file)),
    cores: availableParallelism(),
  };
}

/** What a process may have: less than the machine's where the system limits it. */
export function memoryOfMachine(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(totalmem(), limit) : totalmem();
}
