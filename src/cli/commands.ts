/** @file The table of commands. */
import { checkCommand } from "./commands/check.ts";
import { methodsCommand } from "./commands/methods.ts";
import { planCommand } from "./commands/plan.ts";
import { quickstartCommand } from "./commands/quickstart.ts";
import { runCommand } from "./commands/run.ts";
import type { Command } from "./define.ts";

export const commands: readonly Command[] = [
  quickstartCommand,
  runCommand,
  checkCommand,
  planCommand,
  methodsCommand,
];
