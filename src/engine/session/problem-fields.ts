/** @file Which field of an experiment a problem comes from, where what found it knows the world and not the file. */
import { UserError } from "../../shared/errors.ts";
import type { Place } from "../../shared/errors.ts";
import { dataFiles } from "../../shared/experiment/checks/data-files.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";

interface Problem {
  readonly code: string;
  readonly message: string;
  readonly place?: Place | undefined;
}

/** Does work on an experiment with absolute paths; an error that has no place yet is given its field. */
export async function withFields<T>(experiment: Experiment, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, message, remedy } = error;
    const { place } = withField({ code, message, place: error.place }, experiment);
    throw new UserError({
      code,
      message,
      ...(place && { place }),
      ...(remedy !== undefined && { remedy }),
      cause: error,
    });
  }
}

/** The problem with its field in its place; unchanged where it has a line, or no field is to blame. */
export function withField<P extends Problem>(problem: P, experiment: Experiment): P {
  const { place } = problem;
  if (place?.line !== undefined || place?.field !== undefined) return problem;
  const field = fieldOf(problem, experiment);
  return field === undefined ? problem : { ...problem, place: { file: "", field } };
}

const fields: Readonly<Record<string, string>> = {
  "model-not-found": "model.id",
  "revision-not-found": "model.revision",
  "bad-revision": "model.revision",
  "nothing-quantized": "quantization",
};

/** Fields of a method, by what the checks of it report. */
const methodFields: Readonly<Record<string, string>> = {
  "no-target-matches": "target_modules",
  "target-without-match": "target_modules",
  "two-methods-at-one-site": "target_modules",
  "prompt-exceeds-model": "num_virtual_tokens",
  "token-outside-vocabulary": "token_indices",
  "shared-shapes-differ": "rank_pattern",
  "rank-exceeds-dimension": "r",
  "rank-of-decomposition": "r",
};

function fieldOf({ code, message, place }: Problem, experiment: Experiment): string | undefined {
  const known = fields[code];
  if (known !== undefined) return known;
  if (code === "missing-data-file" || code === "no-such-file")
    return dataFiles(experiment)
      .find(({ file }) => file === place?.file)
      ?.path.join(".");
  if (code.startsWith("regex-")) return fieldOfExpression(message, experiment);
  const [named = ""] =
    /^(?:exclude_modules|modules_to_save|(?:rank|alpha)_pattern)\b/.exec(message) ?? [];
  const field = named === "" ? methodFields[code] : named;
  if (field === undefined) return undefined;
  return experiment.method.length === 1 ? `method.${field}` : "method";
}

function fieldOfExpression(message: string, experiment: Experiment): string | undefined {
  for (const [index, choice] of experiment.method.entries()) {
    const { target_modules, exclude_modules, layers_pattern, rank_pattern, alpha_pattern } = choice;
    const said = {
      target_modules,
      exclude_modules,
      layers_pattern,
      rank_pattern: Object.keys(rank_pattern),
      alpha_pattern: Object.keys(alpha_pattern),
    };
    for (const [field, value] of Object.entries(said))
      if ([value ?? []].flat().some((pattern) => message.includes(pattern)))
        return `method.${experiment.method.length === 1 ? "" : `${index}.`}${field}`;
  }
  return undefined;
}
