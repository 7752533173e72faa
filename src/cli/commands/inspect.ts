/** @file `spectune inspect`: what a model or adapter folder holds. */
import type { Inspected, InspectedArchitecture } from "../../engine/session/inspect-model.ts";
import { inspectModel } from "../../engine/session/inspect-model.ts";
import type { Command } from "../define.ts";
import { jsonOption } from "../define.ts";
import { bytes, count, table } from "../format.ts";
import { placesOf } from "../model-options.ts";
import { findingText } from "../read-file.ts";

export const inspectCommand: Command = {
  name: "inspect",
  summary: "Tell what a model or adapter folder holds: architecture, sizes, tensors, targets.",
  usage: "MODEL [--revision NAME] [--tensors] [--json]",
  positionals: { min: 1, max: 1 },
  options: {
    revision: { type: "string", value: "NAME", doc: "Branch, tag or commit of a hub id." },
    tensors: { type: "boolean", doc: "List every tensor." },
    json: jsonOption,
  },
  async run(args, console) {
    const [id = ""] = args.positionals;
    const revision = args.text("revision");
    const inspected = await inspectModel(
      { id, ...(revision === undefined ? {} : { revision }) },
      placesOf(console),
    );
    if (args.flag("json")) console.out(`${JSON.stringify(asJson(inspected))}\n`);
    else {
      for (const finding of inspected.findings) console.err(findingText(finding));
      console.out(asText(inspected, args.flag("tensors")));
    }
    return 0;
  },
};

function asJson({ resolved, kind, architecture, adapter, weights, tensors, findings }: Inspected) {
  return {
    ...resolved,
    kind,
    architecture: architecture ?? null,
    adapter: adapter ?? null,
    parameters: weights.elements,
    bytes: weights.bytes,
    types: Object.fromEntries(weights.byType),
    tensors: tensors.map(({ name, storedAs, shape }) => ({ name, dtype: storedAs, shape })),
    findings,
  };
}

function asText(
  { resolved, kind, architecture, adapter, weights, tensors }: Inspected,
  listTensors: boolean,
): string {
  const { hubId, snapshot, folder } = resolved;
  const types = [...weights.byType].map(([type, { bytes: size }]) => `${type} ${bytes(size)}`);
  const lines = [
    `${kind.padEnd(12)} ${hubId === undefined ? folder : `${hubId} (${snapshot ?? folder})`}`,
    ...(architecture ? architectureLines(architecture) : []),
    ...Object.entries(adapter ?? {}).map(
      ([field, value]) => `${field.padEnd(24)} ${JSON.stringify(value)}`,
    ),
    `parameters   ${count(weights.elements)} in ${count(weights.tensors)} tensors, ${bytes(weights.bytes)} (${types.join(", ")}) in ${count(weights.byFile.size)} file${weights.byFile.size === 1 ? "" : "s"}`,
    "",
  ];
  const linears = architecture?.linears.map((linear) => [
    linear.name,
    count(linear.count),
    linear.shapes.map(([out, width]) => `${out} × ${width}`).join(", "),
    linear.inAllLinear ? "yes" : "no",
  ]);
  const tensorRows = tensors.map(({ name, storedAs, shape }) => [
    name,
    storedAs,
    `[${shape.join(", ")}]`,
  ]);
  return [
    lines.join("\n"),
    ...(linears
      ? [
          table(
            [
              { title: "target_modules" },
              { title: "layers", right: true },
              { title: "out × in" },
              { title: "in all-linear" },
            ],
            linears,
          ),
        ]
      : []),
    ...(listTensors
      ? [table([{ title: "tensor" }, { title: "type" }, { title: "shape" }], tensorRows)]
      : []),
  ].join("\n");
}

function architectureLines({
  modelType,
  transformersClass,
  task,
  sizes,
  labels,
}: InspectedArchitecture): readonly string[] {
  const heads =
    sizes.heads === sizes.keyValueHeads
      ? `${sizes.heads} heads`
      : `${sizes.heads} heads in ${sizes.keyValueHeads} groups`;
  return [
    `architecture ${modelType}, ${transformersClass}, for ${task}${labels === undefined ? "" : ` with ${labels} outputs`}`,
    `sizes        ${sizes.layers} layers of ${sizes.hidden}, ${heads} of ${sizes.headDim}, inner ${sizes.intermediate}, vocabulary ${count(sizes.vocabulary)}, up to ${count(sizes.maxLength)} tokens`,
  ];
}
