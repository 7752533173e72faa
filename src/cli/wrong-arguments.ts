/** @file What is said of a command line that cannot be used. */
import { UserError } from "../shared/errors.ts";
import type { Arguments } from "./define.ts";

/** `why` is a sentence. */
export function wrong({ command }: Pick<Arguments, "command">, why: string): UserError {
  return new UserError({
    code: "wrong-arguments",
    message: `The command line cannot be used: ${why}`,
    remedy: `\`spectune help ${command}\` lists the options.`,
  });
}
