/** @file Opens the model that a command line names, for as long as the command needs it. */
import type { OpenInference } from "../engine/session/open-for-inference.ts";
import { openForInference } from "../engine/session/open-for-inference.ts";
import type { Console } from "./define.ts";
import { loadingProgress } from "./loading-progress.ts";
import type { ChosenModel } from "./model-options.ts";
import { findingText } from "./read-file.ts";

/** Reads the weights, shows how far that is and what was found in them, and closes the files after `use`. */
export async function withModel(
  { model, places }: Pick<ChosenModel, "model" | "places">,
  console: Console,
  use: (open: OpenInference) => Promise<void>,
): Promise<void> {
  const progress = loadingProgress(console);
  const open = await openForInference(model, places, progress.update).finally(progress.close);
  try {
    for (const finding of open.findings) console.err(findingText(finding));
    await use(open);
  } finally {
    await open.close();
  }
}
