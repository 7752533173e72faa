/** @file `checkpoints`, `analyze`, `report`, `export` and `run`: what a run leaves behind, and where it runs. */
import { bool, duration, int, list, number, object, oneOf, share } from "../../schema.ts";

export const checkpointsField = object(
  {
    every: duration({
      default: { count: 1, unit: "epochs" },
      doc: "How often a checkpoint is written.",
    }),
    keep: int({
      default: 3,
      min: 1,
      doc: "How many of the newest stay; the best and the last always do.",
      aliases: ["save_total_limit"],
    }),
  },
  { doc: "When checkpoints are written, and how many stay." },
);

export const analyzeField = object(
  {
    spectra: duration({ default: null, doc: "How often singular values are computed." }),
    intruders: object(
      {
        k: int({
          default: 10,
          min: 1,
          doc: "How many of the strongest singular vectors are looked at.",
        }),
        epsilon: number({
          default: 0.5,
          above: 0,
          max: 1,
          doc: "A vector whose largest cosine with those of the base stays below this is an intruder.",
        }),
        every: duration({ default: { unit: "end" }, doc: "How often they are counted." }),
      },
      {
        default: null,
        doc: "Count intruder dimensions: strong directions that the base did not have.",
      },
    ),
  },
  { doc: "What is looked at inside the weights." },
);

export const reportField = object(
  {
    interval: share({
      default: 0.95,
      above: 0,
      below: 1,
      doc: "Confidence of the intervals around a mean.",
    }),
    samples: bool({
      default: true,
      doc: "Whether the report shows text of the data: prompts and what was generated after them.",
    }),
  },
  { doc: "How results are told." },
);

export const exportField = list(
  oneOf(
    {
      peft: "An adapter folder that peft loads.",
      lora: "The same update as plain LoRA, where the method has one.",
      merged: "The whole model with the update in its weights.",
      script: "The experiment as a peft, transformers or TRL script.",
    },
    { doc: "A form of the result." },
  ),
  { default: ["peft"], single: true, doc: "In which forms the result is written." },
);

export const runField = object(
  {
    device: oneOf(
      {
        auto: "The best that is there; the choice is told.",
        cpu: "The processor.",
        webgpu: "A GPU by WebGPU.",
        cuda: "An NVIDIA GPU.",
        dml: "A GPU by DirectML.",
        coreml: "Apple's Core ML.",
      },
      { default: "auto", doc: "Where it is computed." },
    ),
    threads: int({
      default: null,
      min: 1,
      max: 1024,
      doc: "Threads of the computation; by default one for each physical core.",
    }),
    over_memory: oneOf(
      {
        refuse: "It is not begun.",
        allow: "It is tried: the system may swap, or end it.",
      },
      { default: "refuse", doc: "A run that needs more memory than the machine has." },
    ),
    report_to: list(
      oneOf({ tensorboard: "Event files for TensorBoard." }, { doc: "A form of the log." }),
      {
        default: ["tensorboard"],
        single: true,
        doc: "In which other forms the events are written.",
      },
    ),
  },
  { doc: "Where it runs; no part of what the experiment is." },
);
