/** @file `train`: how long, how fast, by which rule. */
import { bool, choice, int, number, object, oneOf, union } from "../../schema.ts";
import type { CatalogFields } from "./catalog-fields.ts";

export function trainField(catalog: CatalogFields) {
  return object(
    {
      num_train_epochs: number({
        default: 3,
        above: 0,
        // Far beyond any training; from about 1e15 steps on they could not be counted one by one.
        max: 1e6,
        unit: "epochs",
        doc: "Passes over the training data.",
        aliases: ["num_epochs", "epochs", "n_epochs"],
      }),
      max_steps: int({
        default: null,
        min: 1,
        max: 1e9,
        unit: "steps",
        doc: "Optimizer steps; where given, it decides and `num_train_epochs` does not.",
      }),
      batch_size: int({
        default: 16,
        min: 1,
        max: 1_048_576,
        unit: "examples",
        doc: "Examples in each optimizer step, gradient accumulation included.",
        aliases: ["train_batch_size", "total_batch_size", "global_batch_size"],
      }),
      micro_batch_size: union(
        [
          int({ min: 1, unit: "examples", doc: "Examples in memory at a time." }),
          oneOf(
            {
              auto: "As many as fit into memory; all of a step with an optimizer that uses up gradients in the backward pass.",
            },
            { doc: "Chosen by the plan." },
          ),
        ],
        {
          default: "auto",
          unit: "examples",
          doc: "Examples in memory at a time; the gradients of several such batches make one step.",
        },
      ),
      gradient_checkpointing: bool({
        default: false,
        doc: "Keep only what enters each layer and compute the rest again in the backward pass: less memory, more time.",
      }),
      compute_dtype: oneOf(
        {
          auto: "float32 on a CPU, 16 bits where the device has them.",
          float32: "32 bits.",
          float16: "16 bits, with loss scaling.",
          bfloat16: "16 bits with float32's range.",
        },
        {
          default: "auto",
          doc: "Precision of the arithmetic.",
          aliases: ["bnb_4bit_compute_dtype", "torch_dtype"],
        },
      ),
      learning_rate: number({
        default: 2e-4,
        above: 0,
        doc: "Step size at the top of the schedule.",
        aliases: ["lr"],
      }),
      lr_scheduler_type: choice(catalog.schedulers, {
        default: "linear",
        doc: "How the learning rate goes from its top to the end.",
        aliases: ["lr_scheduler", "scheduler"],
      }),
      warmup_steps: number({
        default: 0,
        min: 0,
        unit: "steps",
        doc: "Steps in which the learning rate rises to its top; below 1, a share of all steps.",
      }),
      max_grad_norm: number({
        default: 1,
        min: 0,
        doc: "Gradients are scaled down to this norm; 0 leaves them as they are.",
        aliases: ["gradient_clipping", "max_norm"],
      }),
      optimizer: choice(catalog.optimizers, {
        default: "adamw",
        doc: "The update rule: its name, or a map with its fields.",
        aliases: ["optim"],
      }),
      group_by_length: bool({
        default: false,
        doc: "Batches of examples of similar length: less padding, another order.",
      }),
      seed: int({
        default: 0,
        min: 0,
        max: 0xffffffff,
        doc: "Seed of everything random in the run: start, data order, dropout.",
        aliases: ["random_seed", "data_seed"],
      }),
      active_layers: choice(catalog.activeLayers, {
        default: null,
        doc: "Which layers train when; by default all, always.",
      }),
    },
    { doc: "How long, how fast and by which rule." },
  );
}
