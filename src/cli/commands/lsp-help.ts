/** @file What `spectune help` says of the language server, which the entry point starts by itself. */
import { UserError } from "../../shared/errors.ts";
import type { Command } from "../define.ts";

export const lspCommand: Command = {
  name: "lsp",
  summary: "Start the language server for an editor.",
  usage: "--stdio",
  positionals: { min: 0, max: 0 },
  options: { stdio: { type: "boolean", doc: "Talk over standard input and output." } },
  run() {
    throw new UserError({
      code: "wrong-arguments",
      message: "The language server talks over standard input and output only.",
      remedy: "Usage: spectune lsp --stdio",
    });
  },
};
