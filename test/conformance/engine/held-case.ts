/** @file A linear site whose weight is held as a quantizer packed it: the graph that a network traces, and what it is fed. */
import { createNf4, unnestScales } from "../../../kernels/nf4/index.ts";
import { differentiate } from "../../../src/engine/autodiff/backward.ts";
import { newGraph } from "../../../src/engine/core/graph.ts";
import type { Graph } from "../../../src/engine/core/graph.ts";
import { inputNames, traceScope } from "../../../src/engine/programs/scope.ts";
import type { Storage } from "../../../src/engine/programs/setup.ts";
import { bnbScales } from "../../../src/engine/quantizers/formats/bnb.ts";
import { packedFormats } from "../../../src/engine/quantizers/formats/table.ts";
import type { PackedMatrix } from "../../../src/engine/quantizers/packed.ts";
import { bytesOf, expanded, storedBytes } from "../../../src/engine/quantizers/packed.ts";
import type { HostData } from "../../../src/engine/runtime/backend.ts";
import { kernelBytes } from "../../../src/engine/runtime/kernels.ts";
import { packedStorage, packedWeight } from "../../../src/engine/session/packed-storage.ts";
import { invariant } from "../../../src/shared/errors.ts";
import { inputs } from "./quantizer-case.ts";

export const tokens = 5;

export interface HeldCase {
  readonly storage: Storage;
  /** `y` = x Wᵀ [tokens, rows], `dx` = dy W [tokens, columns]. */
  readonly graph: Graph;
  readonly data: ReadonlyMap<string, HostData>;
  /** W as the network expands it for the way back. */
  readonly decoded: Float32Array;
}

export function heldCase(packed: PackedMatrix): HeldCase {
  const { rows, columns, format, settings, tensors } = packed;
  const storage = packedStorage({
    ...{ format, settings, rows, columns },
    bytes: storedBytes(packed),
    inOrder: !tensors.has("group_of"),
  });
  const name = "site.weight";
  const linear = { name: "site", module: "site", in: columns, out: rows, bias: false };
  const shape = [rows, columns];
  const g = newGraph();
  const x = g.input("x", "float32", [tokens, columns]);
  const spec = {
    kind: "layer",
    id: "layers.0",
    tensors: [{ name, source: name, shape, role: "linear" }],
    linears: [linear],
  } as const;
  const setup = { spec, storage: new Map([[name, storage]]), trained: new Set<string>() };
  const scope = traceScope(g, { ...setup, sites: new Map() }, { training: false });
  const y = scope.linear("site", x);
  const dy = g.input("dy", "float32", y.shape);
  const dx = differentiate(g, new Map([[y, dy]]), [x]).get(x);
  invariant(dx, "a gradient reaches the inputs");
  g.output("y", y);
  g.output("dx", dx);
  const { decoded, arrays } = storage.type === "nf4" ? ofNf4(packed) : ofPacked(packed, storage);
  const data = new Map<string, HostData>([
    ["x", inputs(tokens, columns, 5)],
    ["dy", inputs(tokens, rows, 6)],
    [inputNames.tensor(name), decoded],
    ...Object.entries(arrays).map(([array, held]) => [`${array}.${name}`, held] as const),
  ]);
  return { storage, graph: g, data, decoded };
}

interface Held {
  readonly decoded: Float32Array;
  readonly arrays: Readonly<Record<string, HostData>>;
}

/** As the kernel decodes it. */
function ofNf4(packed: PackedMatrix): Held {
  const { rows, columns, settings } = packed;
  const count = rows * columns;
  const blockSize = Number(settings["block_size"]);
  const kernel = createNf4(kernelBytes("nf4"), { scratchElements: count, blockSize });
  const [codes, scales] = [bytesOf(packed, "codes"), bnbScales(packed)];
  const absmax = scales instanceof Float32Array ? scales : unnestScales(scales);
  return { decoded: kernel.decode(codes, scales, 0, count), arrays: { codes, absmax } };
}

function ofPacked(packed: PackedMatrix, storage: Storage): Held {
  const multiplied = storage.type === "packed" && storage.blocks !== undefined;
  const format = packedFormats.find(({ name }) => name === packed.format);
  invariant(format, `${packed.format} is a format`);
  const { blocks } = packedWeight(packed, format.expand, multiplied);
  return {
    decoded: expanded(packed, packedFormats),
    arrays: blocks ? { codes: blocks.codes, scales: blocks.scales, zeros: blocks.zeros } : {},
  };
}
