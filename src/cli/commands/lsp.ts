/** @file `spectune lsp`: the language server, for editors. */
import process from "node:process";
import { serve } from "../../../server/src/main.ts";
import { createWorld } from "../language-server/world.ts";

/** Serves the editor that started this process until it says goodbye, or its end of the pipe closes. */
export async function serveStdio(): Promise<void> {
  const ended = new Promise<void>((resolve) => process.stdin.once("close", resolve));
  serve(
    { input: process.stdin, output: process.stdout },
    createWorld((error) => {
      process.stderr.write(
        `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
      );
    }),
  );
  await ended;
}
