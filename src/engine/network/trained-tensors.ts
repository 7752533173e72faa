/** @file Where trained tensors are while they train: the host's own arrays, or copies on a device with memory of its own. */
import type { Shape } from "../../shared/dtypes.ts";
import { elementCount } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";
import type { Backend, DeviceTensor } from "../runtime/backend.ts";
import type { Parameter, Parameters } from "./parameters.ts";

/** The trained tensors as programs read them, by the parameter's name. */
export type TrainedTensors = HostTrained | DeviceTrained;

interface TrainedCommon {
  weight(name: string): DeviceTensor;
  /** The sum of gradients so far. */
  gradient(name: string): DeviceTensor;
  /** A program made the next sum; on the host it has been written in place. */
  setGradient(name: string, sum: DeviceTensor): void;
  zeroGradients(): void;
  /** Brings the host's arrays up to date, before they are saved or exported. */
  fetch(): Promise<void>;
  /** The host's arrays were written, such as from a checkpoint. */
  changedOnHost(): void;
}

/** Views: what a program writes, the host has. */
export interface HostTrained extends TrainedCommon {
  readonly place: "host";
}

/** Copies: a tensor crosses when it is first read, and stays; the gradients never leave the device. */
export interface DeviceTrained extends TrainedCommon {
  readonly place: "device";
  state(name: string, state: string): DeviceTensor;
  /** The update made the next weight, and the state with it. */
  update(name: string, weight: DeviceTensor, states: ReadonlyMap<string, DeviceTensor>): void;
}

export function createTrainedTensors(backend: Backend, parameters: Parameters): TrainedTensors {
  return backend.sharesMemory ? onHost(backend, parameters) : onDevice(backend, parameters);
}

function onHost(backend: Backend, parameters: Parameters): HostTrained {
  const views = new Map(
    [...parameters.all.values()].map(({ name, shape, weight, gradient }) => [
      name,
      {
        weight: backend.upload("float32", shape, weight),
        // Where gradients are estimated there are none.
        gradient: gradient.length > 0 ? backend.upload("float32", shape, gradient) : undefined,
      },
    ]),
  );
  const viewsOf = (name: string): { weight: DeviceTensor; gradient: DeviceTensor | undefined } => {
    const found = views.get(name);
    invariant(found, `there is no trained tensor ${name}`);
    return found;
  };
  const gradientOf = (name: string): DeviceTensor => {
    const { gradient } = viewsOf(name);
    invariant(gradient, `${name} has no gradient`);
    return gradient;
  };
  return {
    place: "host",
    weight: (name) => viewsOf(name).weight,
    gradient: gradientOf,
    setGradient(name, sum) {
      invariant(sum === gradientOf(name), `the gradient of ${name} was not summed in place`);
    },
    zeroGradients() {
      parameters.zeroGradients();
    },
    fetch: () => Promise.resolve(),
    changedOnHost: () => undefined,
  };
}

function onDevice(backend: Backend, parameters: Parameters): DeviceTrained {
  /** Weights and states by name; absent where the host has them. */
  const copies = new Map<string, DeviceTensor>();
  const gradients = new Map<string, DeviceTensor>();
  const zeros = new Map<string, DeviceTensor>();
  /** Copies that an update has made: the host's are old. */
  const ahead = new Map<string, Float32Array>();

  const copied = (key: string, shape: Shape, data: Float32Array): DeviceTensor => {
    const tensor = copies.get(key) ?? backend.upload("float32", shape, data);
    copies.set(key, tensor);
    return tensor;
  };
  const replace = (key: string, tensor: DeviceTensor, data: Float32Array): void => {
    const before = copies.get(key);
    if (before) backend.release(before);
    copies.set(key, tensor);
    ahead.set(key, data);
  };
  /** Zeros stay on the device: summing makes a new tensor and leaves them. */
  const zero = ({ shape }: Parameter): DeviceTensor => {
    const key = shape.join();
    const tensor =
      zeros.get(key) ?? backend.upload("float32", shape, new Float32Array(elementCount(shape)));
    zeros.set(key, tensor);
    return tensor;
  };
  return {
    place: "device",
    weight(name) {
      const { shape, weight } = parameters.get(name);
      return copied(name, shape, weight);
    },
    state: (name, state) =>
      copied(stateKey(name, state), parameters.get(name).shape, parameters.state(name, state)),
    gradient: (name) => gradients.get(name) ?? zero(parameters.get(name)),
    setGradient(name, sum) {
      const before = gradients.get(name);
      if (before) backend.release(before);
      gradients.set(name, sum);
    },
    zeroGradients() {
      for (const sum of gradients.values()) backend.release(sum);
      gradients.clear();
    },
    update(name, weight, states) {
      replace(name, weight, parameters.get(name).weight);
      for (const [state, tensor] of states)
        replace(stateKey(name, state), tensor, parameters.state(name, state));
    },
    async fetch() {
      for (const [key, data] of ahead) {
        const tensor = copies.get(key);
        invariant(tensor, `${key} is not on the device`);
        const made = await backend.download(tensor);
        invariant(made instanceof Float32Array, `${key} is not float32`);
        data.set(made);
      }
      ahead.clear();
    },
    changedOnHost() {
      for (const tensor of copies.values()) backend.release(tensor);
      copies.clear();
      ahead.clear();
    },
  };
}

function stateKey(name: string, state: string): string {
  return `${state} of ${name}`;
}
