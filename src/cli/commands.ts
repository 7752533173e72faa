/** @file The table of commands. */
import { checkCommand } from "./commands/check.ts";
import { compareCommand } from "./commands/compare.ts";
import { diffCommand } from "./commands/diff.ts";
import { evalCommand } from "./commands/eval.ts";
import { exportCommand } from "./commands/export.ts";
import { generateCommand } from "./commands/generate.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { intrudersCommand } from "./commands/intruders.ts";
import { lspCommand } from "./commands/lsp-help.ts";
import { mergeCommand } from "./commands/merge.ts";
import { methodsCommand } from "./commands/methods.ts";
import { mitigateCommand } from "./commands/mitigate.ts";
import { planCommand } from "./commands/plan.ts";
import { quantizeCommand } from "./commands/quantize.ts";
import { queueCommand } from "./commands/queue.ts";
import { quickstartCommand } from "./commands/quickstart.ts";
import { runCommand } from "./commands/run.ts";
import { spectraCommand } from "./commands/spectra.ts";
import type { Command } from "./define.ts";

export const commands: readonly Command[] = [
  quickstartCommand,
  runCommand,
  checkCommand,
  planCommand,
  evalCommand,
  generateCommand,
  exportCommand,
  mergeCommand,
  inspectCommand,
  compareCommand,
  quantizeCommand,
  spectraCommand,
  intrudersCommand,
  mitigateCommand,
  diffCommand,
  queueCommand,
  methodsCommand,
  lspCommand,
];
