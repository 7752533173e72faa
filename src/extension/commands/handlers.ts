/** @file The handler of every command. */
import type { CommandHandlers } from "../../shared/commands.ts";
import type { App } from "../app.ts";
import { experimentCommands } from "./experiment-commands.ts";
import { runCommands } from "./run-commands.ts";
import { weightsCommands } from "./weights-commands.ts";
import { workspaceCommands } from "./workspace-commands.ts";

export function createHandlers(app: App): CommandHandlers {
  return {
    ...workspaceCommands(app),
    ...experimentCommands(app),
    ...runCommands(app),
    ...weightsCommands(app),
  };
}
