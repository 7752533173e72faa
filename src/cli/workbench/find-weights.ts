/** @file Finds the models, adapters and Trainer outputs of some folders, whatever made them. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join, matchesGlob, relative } from "node:path";
import { unlessMissing } from "../../engine/runs/file-errors.ts";
import { isRecord, parseJson } from "../../shared/wire.ts";
import type { FoundWeights } from "../../shared/workbench.ts";

/** Folders so deep below the workspace's are not looked into, nor more than so many. */
const deepest = 8;
const mostFolders = 20_000;

/** What lies in each folder and below it, in the order of their paths. */
export async function findWeights(
  folders: readonly string[],
  exclude: readonly string[],
): Promise<readonly FoundWeights[]> {
  const found: FoundWeights[] = [];
  let left = mostFolders;
  const visit = async (root: string, folder: string, depth: number): Promise<void> => {
    if (left-- <= 0) return;
    const entries = (await readdir(folder, { withFileTypes: true }).catch(() => [])).toSorted(
      (a, b) => (a.name < b.name ? -1 : 1),
    );
    const names = entries.map(({ name }) => name);
    const here = await weightsIn(folder, names);
    if (here !== undefined) found.push(here);
    if (depth === 0) return;
    for (const entry of entries) {
      const path = join(folder, entry.name);
      const inside = relative(root, path).replaceAll("\\", "/");
      const excluded = exclude.some(
        (glob) => matchesGlob(inside, glob) || matchesGlob(`${inside}/x`, glob),
      );
      // A run's own checkpoints are listed with the run.
      const ours = entry.name === ".spectune";
      if (entry.isDirectory() && !excluded && !ours) await visit(root, path, depth - 1);
    }
  };
  for (const folder of folders) await visit(folder, folder, deepest);
  return found;
}

async function weightsIn(
  folder: string,
  names: readonly string[],
): Promise<FoundWeights | undefined> {
  const files = names.filter((name) => name.endsWith(".safetensors"));
  const checkpoints = names.filter((name) => /^checkpoint-\d+$/.test(name)).length;
  const size = async (): Promise<number> => {
    const stats = await Promise.all(files.map((name) => unlessMissing(stat(join(folder, name)))));
    return stats.reduce((sum, each) => sum + (each?.size ?? 0), 0);
  };
  const common = async () => ({
    folder,
    files: files.map((name) => join(folder, name)),
    bytes: await size(),
  });
  if (names.includes("adapter_config.json")) {
    const config = await json(join(folder, "adapter_config.json"));
    const base = config["base_model_name_or_path"];
    const [type, rank] = [config["peft_type"], config["r"]];
    return {
      ...(await common()),
      kind: checkpoints > 0 ? "trainer" : "adapter",
      about: typeof base === "string" ? base : "",
      ...(typeof type === "string" ? { type: type.toLowerCase() } : {}),
      ...(typeof rank === "number" ? { rank } : {}),
      ...(checkpoints > 0 ? { checkpoints } : {}),
    };
  }
  if (checkpoints > 0 || names.includes("trainer_state.json"))
    return { ...(await common()), kind: "trainer", about: "", checkpoints };
  if (files.length === 0) return undefined;
  const type = (await json(join(folder, "config.json")))["model_type"];
  return { ...(await common()), kind: "model", about: typeof type === "string" ? type : "" };
}

async function json(path: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await unlessMissing(readFile(path, "utf8"));
  const value = parseJson(text ?? "");
  return isRecord(value) ? value : {};
}
