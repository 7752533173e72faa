/** @file Bases whose quantizer rounds inputs too: what a folder says of it, and a setup that simulates it. */
import { isRecord } from "../../shared/wire.ts";
import { quantizers } from "../catalog.ts";
import { defaultsOf } from "../config.ts";
import type { InputRounding } from "../programs/round-inputs.ts";
import type { ModelSetup } from "./set-up.ts";

/** What `quantization_config.spectune` of a config.json asks for. */
export function inputRounding(config: unknown): InputRounding | undefined {
  const about = isRecord(config) ? config["quantization_config"] : undefined;
  const made = isRecord(about) ? about["spectune"] : undefined;
  if (!isRecord(made)) return undefined;
  const { type, ...fields } = made;
  const row = quantizers.find(({ name }) => name === type);
  if (!row) return undefined;
  // Folders may have been made before a field was there.
  return row.bind({ ...defaultsOf(row), ...fields }).inputs;
}

/** The setup whose layers round what their packed matrices read; those that were left as they are read all of it. */
export function withRoundedInputs(
  setup: ModelSetup,
  rounding: InputRounding | undefined,
): ModelSetup {
  if (!rounding) return setup;
  const setups = [...setup.setups].map(([id, block]) => {
    if (block.spec.kind !== "layer") return [id, block] as const;
    const packed = block.spec.linears.filter(({ name }) =>
      ["packed", "nf4"].includes(block.storage.get(`${name}.weight`)?.type ?? ""),
    );
    const sites = new Set(packed.map(({ name }) => name));
    return [id, { ...block, inputs: { rounding, sites } }] as const;
  });
  return { ...setup, setups: new Map(setups) };
}
