/** @file The table of commands. */
import { methodsCommand } from "./commands/methods.ts";
import { runCommand } from "./commands/run.ts";
import type { Command } from "./define.ts";

export const commands: readonly Command[] = [runCommand, methodsCommand];
