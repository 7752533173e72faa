/** @file What adapter_config.json says that an update is computed from; everything else is refused by name. */
import { join } from "node:path";
import { UserError } from "../../shared/errors.ts";
import type { Finding } from "../../shared/findings.ts";
import { isRecord } from "../../shared/wire.ts";
import { readLoraConfig } from "../adapters/lora-config.ts";
import { adapterFiles } from "../exports/peft-adapter.ts";
import { readJson } from "../session/open-model.ts";
import { throwErrors } from "../weights/read-errors.ts";

/** What an initialisation took off the base, which an adapter that was not converted counts against. */
export type Residual = "none" | "pissa" | "olora";

export interface PeftFacts {
  readonly type: "LORA" | "IA3";
  readonly baseModel: string | undefined;
  readonly alpha: number;
  readonly usesRslora: boolean;
  readonly usesDora: boolean;
  readonly alphaPattern: Readonly<Record<string, number>>;
  readonly residual: Residual;
  readonly findings: readonly Finding[];
}

/** Initialisations whose part of the base follows from the base alone, and can be found again. */
const foundAgain: Readonly<Record<string, Residual>> = { pissa: "pissa", olora: "olora" };

/** Values of `init_lora_weights` that leave the base as it is. */
const plainStarts: readonly unknown[] = [true, false, "gaussian", "eva", "orthogonal", "mica"];

/** A {@link UserError} names the field whose meaning is not known, or whose base cannot be found again. */
export async function readPeftFacts(folder: string): Promise<PeftFacts> {
  const file = join(folder, adapterFiles.config);
  const json = await readJson(file);
  if (isRecord(json) && json["peft_type"] === "IA3") {
    const baseModel = json["base_model_name_or_path"];
    return {
      type: "IA3",
      baseModel: typeof baseModel === "string" ? baseModel : undefined,
      alpha: 1,
      usesRslora: false,
      usesDora: false,
      alphaPattern: {},
      residual: "none",
      findings: [],
    };
  }
  const start = isRecord(json) ? (json["init_lora_weights"] ?? true) : true;
  const residual = residualOf(start, file);
  // The reader of adapters for training refuses both; here they are put together.
  const plain = isRecord(json) ? { ...json, use_dora: false, init_lora_weights: true } : json;
  const { value, findings } = readLoraConfig(plain, file);
  throwErrors(
    findings.map((finding) =>
      finding.code === "unsupported-adapter-field" ? { ...finding, remedy: mergeIt } : finding,
    ),
  );
  if (!value)
    throw new UserError({ code: "malformed-adapter-config", message: `${file} says nothing.` });
  const note: readonly Finding[] =
    residual === "none"
      ? []
      : [
          {
            code: "residual-base",
            severity: "info",
            message: `The adapter was made with init_lora_weights: ${residual}, which took a part off the base: it is found again and taken off the update.`,
            place: { file, field: "init_lora_weights" },
          },
        ];
  return {
    type: "LORA",
    baseModel: value.baseModel,
    alpha: value.alpha,
    usesRslora: value.use_rslora,
    usesDora: isRecord(json) && json["use_dora"] === true,
    alphaPattern: value.alpha_pattern,
    residual,
    findings: [...findings, ...note],
  };
}

function residualOf(start: unknown, file: string): Residual {
  if (plainStarts.includes(start)) return "none";
  const known = typeof start === "string" ? foundAgain[start] : undefined;
  if (known !== undefined) return known;
  throw new UserError({
    code: "residual-base",
    message: `The adapter was made with init_lora_weights: ${String(start)}, which changed the base in a way that hangs on data or random numbers: what it counts against cannot be found again.`,
    place: { file, field: "init_lora_weights" },
    remedy:
      "In peft, save it with `save_pretrained(folder, path_initial_model_for_weight_conversion=…)`, or merge it and give the model as --tuned.",
  });
}

const mergeIt = "Merge the adapter in peft, and give the merged model as --tuned.";
