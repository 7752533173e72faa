/** @file The optimizer step where trained tensors are on a device with memory of its own: tensor by tensor, nothing crosses but numbers. */
import type { Shape } from "../../shared/dtypes.ts";
import { UserError, at, invariant } from "../../shared/errors.ts";
import type { Graph } from "../core/graph.ts";
import { newGraph } from "../core/graph.ts";
import { add, sumOfSquares } from "../core/ops.ts";
import type { BoundRule } from "../optimizers/define.ts";
import { worksOnDevice } from "../optimizers/define.ts";
import type { DeviceTensor, Program, Tensors } from "../runtime/backend.ts";
import type { NetworkContext } from "./context.ts";
import { floats } from "./context.ts";
import type { Optimizer, OptimizerTools } from "./optimizer.ts";
import { createOptimizer, updateNames, updateProgram } from "./optimizer.ts";
import type { DeviceTrained } from "./trained-tensors.ts";

/** The optimizer of a network's trained tensors, wherever they are. */
export function openOptimizer(
  context: NetworkContext,
  rule: BoundRule,
  tools: OptimizerTools,
): Optimizer {
  const { backend, cache, parameters, trained } = context;
  if (trained.place === "device" && !worksOnDevice(rule))
    throw new UserError({
      code: "optimizer-needs-cpu",
      message: `The optimizer ${rule.name} works on the CPU alone.`,
      remedy: "Set run.device to cpu, or choose adamw.",
    });
  return trained.place === "device"
    ? createDeviceOptimizer(context, trained, rule)
    : createOptimizer(backend, cache, parameters, rule, tools);
}

function createDeviceOptimizer(
  { backend, cache, parameters }: NetworkContext,
  trained: DeviceTrained,
  rule: BoundRule,
): Optimizer {
  const all = [...parameters.all.values()];
  const programs = new Map<string, Promise<Program>>();
  const compiled = (key: string, trace: () => Graph): Promise<Program> => {
    const program = programs.get(key) ?? cache.compile(trace());
    programs.set(key, program);
    return program;
  };
  const number = (value: number): DeviceTensor =>
    backend.upload("float32", [], Float32Array.of(value));
  return {
    zeroGradients() {
      trained.zeroGradients();
    },
    addNoise: () => undefined,
    removeNoise: () => undefined,
    async gradientNorm() {
      if (all.length === 0) return 0;
      const program = await compiled("norm", () => squaresProgram(all.map(({ shape }) => shape)));
      const feeds = all.map(({ name }, index) => [`x.${index}`, trained.gradient(name)] as const);
      const sum = output(await program.run(new Map(feeds)), "sum");
      const [value = NaN] = await floats(backend, sum);
      backend.release(sum);
      return Math.sqrt(value);
    },
    async step({ t: step, lr, gradientScale, takes, updates }) {
      const scale = number(gradientScale);
      const numbers = new Map<string, readonly (readonly [string, DeviceTensor])[]>();
      const numbersOf = (
        decays: boolean,
        rate: number,
        t: number,
      ): readonly (readonly [string, DeviceTensor])[] => {
        const key = `${decays} ${rate} ${t}`;
        const found =
          numbers.get(key) ??
          Object.entries(rule.numbers({ t, lr: lr * rate, decays })).map(
            ([name, value]) => [updateNames.number(name), number(value)] as const,
          );
        numbers.set(key, found);
        return found;
      };
      for (const parameter of all) {
        const { name, shape, decays, blocks } = parameter;
        // What several blocks share trains with the first of them, as on the host.
        const block = takes && blocks?.[0];
        if (takes && !takes(block)) continue;
        const t = (block !== undefined && updates?.(block)) || step;
        const program = await compiled(shape.join(), () => updateProgram(rule, shape));
        const states = rule.state.map(
          (state) => [updateNames.state(state), trained.state(name, state)] as const,
        );
        const made = await program.run(
          new Map([
            ["weight", trained.weight(name)],
            ["gradient", trained.gradient(name)],
            ["gradientScale", scale],
            ...numbersOf(decays, rule.rate(parameter), t),
            ...states,
          ]),
        );
        trained.update(
          name,
          output(made, updateNames.next("weight")),
          new Map(
            rule.state.map((state) => [
              state,
              output(made, updateNames.next(updateNames.state(state))),
            ]),
          ),
        );
      }
      for (const tensor of [scale, ...[...numbers.values()].flat().map(([, x]) => x)])
        backend.release(tensor);
    },
  };
}

/** Σ x² over tensors of these shapes. */
function squaresProgram(shapes: readonly Shape[]): Graph {
  const g = newGraph();
  const sums = shapes.map((shape, index) =>
    sumOfSquares(g, g.input(`x.${index}`, "float32", shape)),
  );
  g.output(
    "sum",
    sums.slice(1).reduce((sum, next) => add(g, sum, next), at(sums, 0)),
  );
  return g;
}

function output(tensors: Tensors, name: string): DeviceTensor {
  const tensor = tensors.get(name);
  invariant(tensor, `the update made no ${name}`);
  return tensor;
}
