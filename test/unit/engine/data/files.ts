/** @file Files for tests, in a folder of their own. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { UserError } from "../../../../src/shared/errors.ts";

/** Writes a file into a new folder that goes away with the test. */
export function temporaryFile(name: string, content: string | Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), "spectune-data-"));
  after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

/** For `assert.rejects`: a UserError of this code at this line, whose message matches, with a remedy. */
export function userError(
  code: string,
  line: number | undefined,
  message: RegExp,
): (error: unknown) => boolean {
  return (error) =>
    error instanceof UserError &&
    error.code === code &&
    error.place?.line === line &&
    message.test(`${error.message} ${error.remedy ?? ""}`) &&
    error.remedy !== undefined;
}

/** Everything that an iteration yields. */
export async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
