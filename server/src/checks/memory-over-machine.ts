/** @file A run that needs more memory than the machine has. */
import { trainingOf } from "../estimate.ts";
import { valueOf } from "../facts.ts";
import { whatFits } from "../fitting.ts";
import { memoryText } from "../numbers.ts";
import type { FactCheck } from "./check.ts";

export const memoryOverMachine: FactCheck = {
  code: "memory-over-machine",
  severity: "warning",
  doc: "The run's peak memory, added up from the tensors that it will hold, is above what this machine has: the system would end it, or swap until it is of no use.",
  find(ctx) {
    const { facts } = ctx;
    const memory = valueOf(trainingOf(ctx))?.memory;
    if (memory === undefined || memory.total <= facts.memoryBytes) return [];
    const fits = whatFits(ctx);
    return [
      {
        path: "train",
        message: `The run takes about ${memoryText(memory.total)} of memory; this machine has ${memoryText(facts.memoryBytes)}.`,
        remedy:
          fits.length === 0
            ? "Use a smaller model, shorter examples, or another machine."
            : `It would fit with ${fits.map(({ said }) => `\`${said}\``).join(", or with ")}.`,
        fixes: fits.map(({ fix }) => fix),
      },
    ];
  },
};
