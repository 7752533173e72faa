/** @file Reads an adapter_config.json: what is honoured comes out, what would change the result and is not known is refused. */
import type { Checked, Finding } from "../../shared/findings.ts";
import { hasErrors } from "../../shared/findings.ts";
import { isRecord } from "../../shared/wire.ts";
import type { FieldRule } from "./lora-config-fields.ts";
import { loraConfigFields } from "./lora-config-fields.ts";

/** What a LoRA adapter's configuration says, in our words. */
export interface LoraAdapterConfig {
  /** Absent where the adapter was made for no task, such as for a base model without a head. */
  readonly task: "causal-lm" | "sequence-classification" | undefined;
  /** Hub id or folder of the base. */
  readonly baseModel: string | undefined;
  readonly revision: string | undefined;
  readonly r: number;
  readonly alpha: number;
  readonly use_rslora: boolean;
  readonly use_dora: boolean;
  readonly dropout: number;
  readonly bias: "none" | "all" | "lora_only";
  readonly target_modules: string | readonly string[];
  readonly exclude_modules: string | readonly string[] | null;
  readonly layers_to_transform: readonly number[] | null;
  readonly layers_pattern: readonly string[] | null;
  readonly modules_to_save: readonly string[];
  readonly rank_pattern: Readonly<Record<string, number>>;
  readonly alpha_pattern: Readonly<Record<string, number>>;
}

const tasks = { CAUSAL_LM: "causal-lm", SEQ_CLS: "sequence-classification" } as const;

/** Missing fields take peft's defaults. Without a value where anything is refused; `file` is for messages. */
export function readLoraConfig(
  json: unknown,
  file: string,
): Checked<LoraAdapterConfig | undefined> {
  const findings: Finding[] = [];
  if (!isRecord(json)) {
    const message = `${file} holds no configuration.`;
    findings.push({
      code: "malformed-adapter-config",
      severity: "error",
      message,
      place: { file },
      remedy: mend,
    });
    return { value: undefined, findings };
  }
  findings.push(...refusedFields(json, file));
  const read = fieldReader(json, file, findings);
  const task = read<string | null>("task_type", isTextOrNull, "a task's name", null);
  if (task !== null && !isTask(task))
    findings.push(
      unsupported(
        file,
        "task_type",
        task,
        `only ${Object.keys(tasks).join(" and ")} are known here.`,
      ),
    );
  const value: LoraAdapterConfig = {
    task: typeof task === "string" && isTask(task) ? tasks[task] : undefined,
    baseModel: read("base_model_name_or_path", isTextOrNull, "text", null) ?? undefined,
    revision: read("revision", isTextOrNull, "text", null) ?? undefined,
    r: read("r", isSize, "a whole number from 1", 8),
    alpha: read("lora_alpha", isNumber, "a number", 8),
    use_rslora: read("use_rslora", isFlag, "true or false", false),
    use_dora: read("use_dora", isFlag, "true or false", false),
    dropout: read("lora_dropout", isNumber, "a number", 0),
    bias: read("bias", isBias, "none, all or lora_only", "none"),
    target_modules: read("target_modules", isNames, "names or a regular expression", []),
    exclude_modules: read(
      "exclude_modules",
      orNull(isNames),
      "names or a regular expression",
      null,
    ),
    layers_to_transform: listed(
      read("layers_to_transform", orNull(isIndices), "indices of layers", null),
    ),
    layers_pattern: listed(read("layers_pattern", orNull(isNames), "names", null)),
    modules_to_save:
      read<readonly string[] | null>("modules_to_save", orNull(isList), "names", null) ?? [],
    rank_pattern:
      read<Pattern | null>("rank_pattern", orNull(isPattern(isSize)), "ranks by name", null) ?? {},
    alpha_pattern:
      read<Pattern | null>("alpha_pattern", orNull(isPattern(isNumber)), "alphas by name", null) ??
      {},
  };
  const failed = hasErrors(findings);
  return { value: failed ? undefined : value, findings };
}

/** Fields whose value is not understood, and unknown ones that say something. */
function refusedFields(json: Readonly<Record<string, unknown>>, file: string): readonly Finding[] {
  const rules: ReadonlyMap<string, FieldRule> = new Map(Object.entries(loraConfigFields));
  return Object.entries(json).flatMap(([field, value]): readonly Finding[] => {
    const rule = rules.get(field);
    if (rule === undefined)
      return value === null || value === false
        ? []
        : [
            {
              code: "unknown-adapter-field",
              severity: "warning",
              message: `${field} in ${file} is not known here and has no effect.`,
              place: { file, field },
              remedy: "Remove it, or look up in peft what it would do.",
            },
          ];
    if (rule === "read" || "noEffect" in rule || rule.only(value)) return [];
    return [unsupported(file, field, value, rule.why, rule.remedy)];
  });
}

function unsupported(
  file: string,
  field: string,
  value: unknown,
  why: string,
  remedy = "Merge the adapter in peft, and take the merged model as the base.",
): Finding {
  return {
    code: "unsupported-adapter-field",
    severity: "error",
    message: `The adapter's ${field}: ${inShort(value)} is not supported: ${why}`,
    place: { file, field },
    remedy,
  };
}

const mend =
  "Mend it as peft writes it, or take the file again from where it came from; of an own run `spectune export RUN --as peft` writes it anew.";

function inShort(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Names of fields that the reader takes into account. */
type ReadField = {
  [Name in keyof typeof loraConfigFields]: (typeof loraConfigFields)[Name] extends "read"
    ? Name
    : never;
}[keyof typeof loraConfigFields];

type Pattern = Readonly<Record<string, number>>;

type Is<T> = (value: unknown) => value is T;

function fieldReader(json: Readonly<Record<string, unknown>>, file: string, findings: Finding[]) {
  return <T>(field: ReadField, is: Is<T>, what: string, fallback: NoInfer<T>): T => {
    const value = json[field];
    if (value === undefined) return fallback;
    if (is(value)) return value;
    findings.push({
      code: "malformed-adapter-config",
      severity: "error",
      message: `${field} in ${file} must be ${what}, not ${inShort(value)}.`,
      place: { file, field },
      remedy: mend,
    });
    return fallback;
  };
}

function listed<T>(value: T | readonly T[] | null): readonly T[] | null {
  if (value === null) return null;
  return isArray(value) ? value : [value];
}

function isArray<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

function orNull<T>(is: Is<T>): Is<T | null> {
  return (value): value is T | null => value === null || is(value);
}

function isPattern(is: Is<number>): Is<Pattern> {
  return (value): value is Pattern => isRecord(value) && Object.values(value).every(is);
}

const isText: Is<string> = (value) => typeof value === "string";
const isTextOrNull = orNull(isText);
const isFlag: Is<boolean> = (value) => typeof value === "boolean";
const isNumber: Is<number> = (value): value is number => Number.isFinite(value);
const isIndex: Is<number> = (value): value is number =>
  isNumber(value) && Number.isInteger(value) && value >= 0;
const isSize: Is<number> = (value): value is number => isIndex(value) && value > 0;
const isList: Is<readonly string[]> = (value): value is readonly string[] =>
  Array.isArray(value) && value.every(isText);
const isNames: Is<string | readonly string[]> = (value) => isText(value) || isList(value);
const isIndices: Is<number | readonly number[]> = (value): value is number | readonly number[] =>
  isIndex(value) || (Array.isArray(value) && value.every(isIndex));
const isBias: Is<LoraAdapterConfig["bias"]> = (value) =>
  value === "none" || value === "all" || value === "lora_only";

function isTask(value: string): value is keyof typeof tasks {
  return Object.hasOwn(tasks, value);
}
