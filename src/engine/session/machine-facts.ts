/** @file What this machine has, for choosing a device. */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { MachineFacts } from "./choose-device.ts";

/** Files by which Linux shows a GPU's driver; macOS and Windows have one for every display. */
const driverFiles = ["/dev/nvidia0", "/dev/nvidiactl", "/dev/dri/renderD128", "/dev/dxg"];

export function machineFacts(): MachineFacts {
  return {
    gpuDriver: process.platform !== "linux" || driverFiles.some((file) => existsSync(file)),
    cores: availableParallelism(),
  };
}
