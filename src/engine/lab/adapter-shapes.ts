/** @file The matrices that an adapter was made for, by the shapes of its factors: for what needs no base. */
import { join } from "node:path";
import { at, UserError } from "../../shared/errors.ts";
import { adapterFiles } from "../exports/peft-adapter.ts";
import { openWeights } from "../weights/weight-source.ts";
import type { ModelFolder } from "./model-folder.ts";
import { plainName } from "./names.ts";
import { noFacts } from "./orientation.ts";
import { readPeftFacts } from "./peft-facts.ts";
import type { StoredMatrix } from "./stored-matrix.ts";

/** A base without values; a {@link UserError} where the adapter's update hangs on them. */
export async function baseOfAdapter(folder: string): Promise<ModelFolder> {
  const { usesDora, residual, type } = await readPeftFacts(folder);
  const hangs = usesDora ? "DoRA" : residual === "none" ? undefined : residual;
  if (hangs !== undefined || type === "IA3")
    throw new UserError({
      code: "base-needed",
      message: `The update of ${folder} hangs on its base (${hangs ?? type}).`,
      place: { file: folder },
      remedy: "Give the base: --base MODEL.",
    });
  const source = await openWeights(join(folder, adapterFiles.weights));
  const matrices = new Map<string, StoredMatrix>();
  for (const info of source.tensors.values()) {
    const [, module, table] =
      /^(?:base_model\.model\.)?(.*)\.lora_(embedding_)?A(?:\.default)?(?:\.weight)?$/.exec(
        info.name,
      ) ?? [];
    const B = source.tensors.get(info.name.replace(/(\.lora_(?:embedding_)?)A/, "$1B"));
    if (module === undefined || !B || info.shape.length !== 2 || B.shape.length !== 2) continue;
    const name = `${module}.weight`;
    // The pair of a table is stored turned.
    const shape = table ? [at(info.shape, 1), at(B.shape, 0)] : [at(B.shape, 0), at(info.shape, 1)];
    matrices.set(plainName(name), { source, info: { ...info, name, shape }, transposed: false });
  }
  return {
    path: folder,
    resolved: { folder },
    source,
    facts: noFacts,
    config: undefined,
    matrices,
    close: source.close,
  };
}
