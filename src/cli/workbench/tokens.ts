/** @file Examples of an experiment's training data as tokens, a page at a time. */
import { basename } from "node:path";
import type { ViewedExample } from "../../engine/data/token-view.ts";
import { viewTokens } from "../../engine/data/token-view.ts";
import { loadTokenizer } from "../../engine/data/tokenizer/load-tokenizer.ts";
import { withAbsolutePaths } from "../../engine/session/absolute-paths.ts";
import { labelsOfHead } from "../../engine/session/head.ts";
import { openModel } from "../../engine/session/open-model.ts";
import { placeMethods, withRoomFor } from "../../engine/session/place-methods.ts";
import { placesHere } from "../../engine/session/places-here.ts";
import { openRunData } from "../../engine/session/run-data.ts";
import { referenceOf } from "../../engine/weights/hub-cache.ts";
import { isFolder } from "../../engine/weights/on-disk.ts";
import { UserError } from "../../shared/errors.ts";
import { errorsOf } from "../../shared/findings.ts";
import type { TokenExample, TokensView } from "../../shared/panels/tokens.ts";
import { readExperimentFile } from "../read-file.ts";

/** Reads and tokenizes all of the data, as the run itself would. */
export async function tokensOf(file: string, from: number, count: number): Promise<TokensView> {
  const read = await readExperimentFile(file, [], "");
  if (read.experiment === undefined) {
    const [first] = errorsOf(read.findings);
    throw new UserError({
      code: "invalid-experiment",
      message: `The experiment has errors. ${first?.message ?? ""}`,
      remedy: `\`spectune check ${basename(file)}\` lists them.`,
    });
  }
  const experiment = withAbsolutePaths(read.experiment, read.folder, isFolder);
  const { method, task } = experiment;
  const opened = await openModel(referenceOf(experiment.model), task, placesHere());
  try {
    const tokenizer = await loadTokenizer(opened.resolved.folder);
    const model = withRoomFor(opened.model, placeMethods(opened.model, method).value);
    const data = await openRunData(experiment, model, tokenizer, {
      now: new Date(),
      headLabels: labelsOfHead(opened),
    });
    const { examples, counts } = data.train;
    const viewed = viewTokens(examples, tokenizer, { count: from + count, target: data.target });
    const cut = experiment.data.too_long === "truncate";
    return {
      file,
      examples: viewed.slice(from).map(columns),
      from,
      total: examples.count,
      maxLength: Math.min(experiment.data.max_length, model.sizes.maxLength),
      truncated: cut ? counts.tooLong : 0,
      dropped: counts.empty + counts.untrained + (cut ? 0 : counts.tooLong),
      findings: data.findings,
    };
  } finally {
    await opened.source.close();
  }
}

function columns({ row, tokens, label }: ViewedExample): TokenExample {
  return {
    row,
    ids: Int32Array.from(tokens, ({ id }) => id),
    texts: tokens.map(({ text }) => text),
    trained: Uint8Array.from(tokens, ({ trained }) => Number(trained)),
    ...(label === undefined ? {} : { label }),
  };
}
