/** @file The one table of choices that exclude one another, with the reason: read before a run is set up, and by editors. */
import type { Experiment } from "../shared/experiment/fields/experiment-fields.ts";
import type { Finding } from "../shared/findings.ts";
import { isPlainPair } from "./catalog-list.ts";
import { initialisers, methods, optimizers, quantizers, rowNamed } from "./catalog.ts";
import type { BoundMethod, Method } from "./methods/define.ts";
import { isPlaced } from "./methods/placed.ts";
import type { BoundRule } from "./optimizers/define.ts";
import { worksOnDevice } from "./optimizers/define.ts";
import { needsData } from "./quantizers/define.ts";

export type PairFields = Pick<Experiment, "method" | "quantization" | "export"> & {
  readonly data: Pick<Experiment["data"], "packing">;
  readonly run: Pick<Experiment["run"], "device">;
  readonly train: Pick<
    Experiment["train"],
    "optimizer" | "active_layers" | "batch_size" | "micro_batch_size"
  >;
};

/** Two choices that are there, and the field of the one that is easier given up. */
interface Both {
  readonly names: readonly [string, string];
  /** In place of the sentence that is made of the names and the reason. */
  readonly message?: string;
  readonly remedy?: string;
  /** Dotted. */
  readonly field: string;
}

interface Excluded {
  readonly code: string;
  readonly applies: (chosen: Chosen) => Both | undefined;
  readonly why: string;
  /** The same without the two being named: for the table of checks. */
  readonly doc: string;
  readonly remedy?: string;
  /** A field that can be taken out of the file, and all is well. */
  readonly removes?: string;
}

interface Chosen {
  readonly fields: PairFields;
  readonly entries: readonly Entry[];
  readonly rule: BoundRule;
}

/** One entry of `method`. */
interface Entry {
  readonly row: Method;
  /** At linear layers. */
  readonly bound: BoundMethod | undefined;
  readonly choice: Experiment["method"][number];
  /** Its field in the file. */
  readonly field: string;
}

const excluded: readonly Excluded[] = [
  {
    code: "quantized-base-changes",
    applies({ fields: { quantization }, entries }) {
      const { row, field } = entries.find((entry) => entry.row.noQuantizedBase !== undefined) ?? {};
      if (row === undefined || field === undefined || quantization === null) return undefined;
      const names = [row.name, `quantization: ${quantization.type}`] as const;
      const message = `\`${row.name}\` changes the model's own weights, and quantized ones cannot be changed.`;
      return { names, field, message };
    },
    why: "the one changes the model's own weights, and quantized ones cannot be changed",
    doc: "A quantized weight cannot be changed in place: methods that train the base need it in floating point.",
    remedy: "Remove `quantization`, or use an adapter such as lora.",
    removes: "quantization",
  },
  {
    code: "quantized-from-data",
    applies({ fields: { quantization } }) {
      if (quantization === null) return undefined;
      const { type, config } = quantization;
      const needs = needsData(type, rowNamed(quantizers, type).bind(config));
      const names = [`quantization: ${type}`, "a model quantized as it is read"] as const;
      return needs && { names, ...needs, field: "quantization" };
    },
    why: "the one reads calibration data, the other has none",
    doc: "A quantizer that reads calibration data takes more than reading a model: `spectune quantize` makes a folder of it, which is then the model.",
  },
  {
    code: "hooks-on-gpu",
    applies({ fields, entries }) {
      const acting = entries.find(acts);
      return acting && onGpu(fields)
        ? { names: [acting.row.name, `device: ${fields.run.device}`], field: "run.device" }
        : undefined;
    },
    why: "the one changes its tensors on the processor between steps, the other keeps them elsewhere",
    doc: "A method that allocates while it trains changes its tensors on the processor between steps; on a GPU they stay there.",
    remedy: "Set `run.device` to cpu.",
  },
  {
    code: "optimizer-on-gpu",
    applies: ({ fields, rule }) =>
      onGpu(fields) && !worksOnDevice(rule)
        ? { names: [rule.name, `device: ${fields.run.device}`], field: "run.device" }
        : undefined,
    why: "the one works on the processor, the other keeps what trains elsewhere",
    doc: "On a GPU an optimizer goes tensor by tensor; one that sees pairs, projections or several passes works on the processor alone.",
    remedy: "Set `run.device` to cpu, or choose adamw.",
  },
  {
    code: "hooks-without-gradients",
    applies({ entries, rule }) {
      const acting = entries.find(acts);
      return acting && rule.gradients !== "kept"
        ? { names: [acting.row.name, rule.name], field: "train.optimizer" }
        : undefined;
    },
    why: "the one acts between the gradients of a whole step and its update, the other never has them together",
    doc: "A method that allocates while it trains acts between the gradients of a whole step and its update; an optimizer that uses them up in the backward pass, or has none, never has them together.",
  },
  {
    code: "hooks-with-resting-layers",
    applies({ fields, entries }) {
      const acting = entries.find(acts);
      const layers = fields.train.active_layers;
      return acting && layers
        ? { names: [acting.row.name, layers.type], field: "train.active_layers" }
        : undefined;
    },
    why: "the one compares all modules at each step, the other lets most rest",
    doc: "A method that allocates while it trains compares all modules at each step; a schedule of active layers lets most of them rest.",
  },
  {
    code: "prompt-with-packing",
    applies({ fields, entries }) {
      const before = entries.find(({ row }) => row.kind === "tokens" || row.kind === "prefix");
      return before && fields.data.packing
        ? { names: [before.row.name, "data.packing"], field: "data.packing" }
        : undefined;
    },
    why: "the one stands before the words of every example, the other puts several into one row",
    doc: "A trained prompt stands before the words of every example; packing puts several examples into one row.",
  },
  {
    code: "side-with-others",
    applies({ entries }) {
      const side = entries.find(({ row }) => row.kind === "side");
      const other = entries.find((entry) => entry !== side);
      return side && other
        ? { names: [side.row.name, other.row.name], field: other.field }
        : undefined;
    },
    why: "no gradient reaches the other where none runs through the model",
    doc: "A side network trains without a gradient through the model, so that nothing within the model can train beside it.",
  },
  {
    code: "no-merged-form",
    applies({ fields, entries }) {
      const apart = entries.find(({ row }) => isPlaced(row) && row.staysApart !== undefined);
      return apart && fields.export.includes("merged")
        ? { names: [apart.row.name, "export: merged"], field: "export" }
        : undefined;
    },
    why: "what the one trains stands in no weight of the model",
    doc: "What some methods train, such as a prompt, stands in no weight of the model and cannot be merged into it.",
  },
  {
    code: "no-lora-form",
    applies({ fields, entries }) {
      const other = entries.find(({ row, choice }) => !isPlainPair(row, choice.config));
      return other && fields.export.includes("lora")
        ? { names: [other.row.name, "export: lora"], field: "export" }
        : undefined;
    },
    why: "what the one trains is no low-rank update of weights alone",
    doc: "Some methods train what is no low-rank update of weights, which no plain LoRA can hold.",
    remedy: "Leave `lora` out of `export`.",
  },
  {
    code: "pair-rule-without-pair",
    applies({ entries, rule }) {
      const other = entries.find(
        ({ bound }) => bound?.roles === undefined || bound.roles.core !== undefined,
      );
      return rule.pair && other
        ? { names: [rule.name, other.row.name], field: "train.optimizer" }
        : undefined;
    },
    why: "the one corrects the gradients of the two factors of a pair, which the other does not train together",
    doc: "An optimizer that corrects the gradients of the two factors of a pair needs methods that train such a pair together.",
  },
  {
    code: "pair-rule-with-sharing",
    applies({ entries, rule }) {
      const sharing = entries.find(({ choice }) => choice.sharing !== null);
      return rule.pair && sharing
        ? { names: [rule.name, sharing.choice.sharing?.type ?? ""], field: "train.optimizer" }
        : undefined;
    },
    why: "the one corrects the gradients of both factors of each pair, of which the other gives several modules one",
    doc: "An optimizer that corrects the gradients of the two factors of a pair needs a pair for each module, not factors that several share.",
  },
  {
    code: "consumed-with-several-batches",
    applies({ fields, rule }) {
      const { micro_batch_size: micro, batch_size: whole } = fields.train;
      return rule.gradients === "consumed" && typeof micro === "number" && micro < whole
        ? { names: [rule.name, `micro_batch_size: ${micro}`], field: "train.micro_batch_size" }
        : undefined;
    },
    why: "the one uses up gradients in the backward pass, the other needs those of several passes added up",
    doc: "An optimizer that uses up gradients in the backward pass cannot add up those of several batches in memory.",
    remedy:
      "Make train.batch_size and train.micro_batch_size equal, or choose an optimizer that keeps gradients, such as sgd.",
  },
  {
    code: "init-without-core",
    applies: ({ entries }) =>
      withInit(
        entries,
        ({ bound, choice }) =>
          bound?.roles !== undefined &&
          bound.roles.core === undefined &&
          rowNamed(initialisers, choice.init.type).takesCore,
      ),
    why: "the one starts a core between the two factors, which the other does not have",
    doc: "Some initialisers start a square core between two factors, which only some methods have.",
    remedy: "Use `type: lora_xs`, or leave `init` out.",
  },
  {
    code: "init-beside-from",
    applies({ entries }) {
      const both = withInit(entries, ({ choice }) => choice.from !== null);
      return both && { ...both, names: [both.names[0], "from"] };
    },
    why: "both say how the tensors start",
    doc: "Both `init` and `from` say how the tensors start.",
    remedy: "Leave one of them out.",
  },
];

/** Whether a method acts on the host around each step. */
function acts({ bound }: Entry): boolean {
  return bound?.hooks !== undefined;
}

function onGpu({ run }: PairFields): boolean {
  return run.device !== "auto" && run.device !== "cpu";
}

/** The first entry with an initialiser of which `excludes` holds. */
function withInit(
  entries: readonly Entry[],
  excludes: (entry: Entry) => boolean,
): Both | undefined {
  const found = entries.find((entry) => entry.choice.init.type !== "default" && excludes(entry));
  return (
    found && {
      names: [`init: ${found.choice.init.type}`, found.row.name],
      field: `${found.field}.init`,
    }
  );
}

/** What the table refuses, for the table of checks. */
export const excludedCodes: readonly Pick<Excluded, "code" | "doc" | "removes">[] = excluded;

export interface ExcludedPair extends Finding {
  readonly field: string;
  /** Another field whose removal mends it. */
  readonly removes?: string;
}

/** What an experiment chooses that cannot be together, with the field in its place. */
export function excludedPairs(fields: PairFields): readonly ExcludedPair[] {
  const entries = fields.method.map((choice, index): Entry => {
    const row = rowNamed(methods, choice.type);
    const field = fields.method.length === 1 ? "method" : `method.${index}`;
    return {
      row,
      bound: row.kind === "linear" ? row.bind(choice.config) : undefined,
      choice,
      field,
    };
  });
  const { type, config } = fields.train.optimizer;
  const rule = rowNamed(optimizers, type).bind(config);
  return excluded.flatMap(({ code, applies, why, remedy, removes }) => {
    const both = applies({ fields, entries, rule });
    if (both === undefined) return [];
    const { names, field, message = `${names.join(" and ")} cannot be together: ${why}.` } = both;
    return [
      {
        code,
        severity: "error" as const,
        message,
        remedy: both.remedy ?? remedy ?? "Choose another for one of them.",
        place: { file: "", field },
        field,
        ...(removes === undefined ? {} : { removes }),
      },
    ];
  });
}
