/** @file Stands in for `@vscode/spdlog`, which is compiled: the part of it that VS Code's server calls, written line by line. */
import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

const levels = ["trace", "debug", "info", "warning", "error", "critical"];

export function setFlushOn() {
  // Each line is written as it comes.
}

/** Files do not rotate: a server of ours lives for minutes. */
export async function createAsyncRotatingLogger(_name, file) {
  mkdirSync(dirname(file), { recursive: true });
  let least = 0;
  let isPlain = false;
  const writer = (level) => (text) => {
    if (level < least) return;
    const time = new Date().toISOString().replace("T", " ").replace("Z", "");
    appendFileSync(file, isPlain ? text : `${time} [${levels[level]}] ${text}\n`);
  };
  return {
    trace: writer(0),
    debug: writer(1),
    info: writer(2),
    warn: writer(3),
    error: writer(4),
    critical: writer(5),
    setLevel: (level) => {
      least = level;
    },
    getLevel: () => least,
    setPattern: () => undefined,
    clearFormatters: () => {
      isPlain = true;
    },
    flush: () => undefined,
    drop: () => undefined,
  };
}
