/** @file The table of commands. */
import { methodsCommand } from "./commands/methods.ts";
import type { Command } from "./define.ts";

export const commands: readonly Command[] = [methodsCommand];
