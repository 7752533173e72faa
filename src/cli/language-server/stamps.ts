/** @file Times and sizes of files, by which a change is noticed. */
import { stat } from "node:fs/promises";

export async function stampOf(...paths: readonly string[]): Promise<string> {
  const parts = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ mtimeMs, size }) => `${mtimeMs} ${size}`,
        () => "absent",
      ),
    ),
  );
  return parts.join(" ");
}
