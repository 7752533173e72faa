/** @file What a method's graphs make of its tensors at a site: run once, on the values as they stand. */
import { invariant } from "../../shared/errors.ts";
import type { Shape } from "../../shared/dtypes.ts";
import type { Graph, Value } from "../core/graph.ts";
import { newGraph } from "../core/graph.ts";
import type { BlockSetup, SiteMethod } from "../programs/setup.ts";
import { localName, parameterName } from "../programs/setup.ts";
import type { Backend, DeviceTensor } from "../runtime/backend.ts";
import type { ValueSources } from "./tensor-values.ts";

/** A method at a linear site of a block. */
export interface SiteOfBlock {
  readonly setup: BlockSetup;
  /** Name of the linear site within the block. */
  readonly name: string;
  readonly site: SiteMethod;
}

/** A method's tensors anywhere in a block. */
export interface TensorsOfBlock {
  readonly setup: BlockSetup;
  /** Name of the site or place within the block. */
  readonly name: string;
  readonly site: Pick<SiteMethod, "params" | "group">;
}

/** Where a method's tensors lie, by their names in the whole model. */
export interface SiteSources {
  readonly parameters: Pick<ValueSources["parameters"], "get">;
  readonly factors: Pick<ValueSources["factors"], "get">;
}

/** Inputs of a graph for each of a method's tensors. */
export function paramInputs(g: Graph, site: TensorsOfBlock["site"]): ReadonlyMap<string, Value> {
  return new Map(
    [...site.params].map(([param, { shape, dtype }]) => [
      param,
      g.input(param, dtype ?? "float32", shape),
    ]),
  );
}

/** A method's tensor as it stands. */
export function paramValue(
  { parameters, factors }: SiteSources,
  { setup, name, site }: TensorsOfBlock,
  param: string,
): { readonly shape: Shape; readonly data: Float32Array | Int32Array } {
  const full = parameterName(setup.spec, localName(name, site, param));
  if (site.params.get(param)?.trains === false) return factors.get(full);
  const { shape, weight } = parameters.get(full);
  return { shape, data: weight };
}

/** The output that `build` makes of a site's tensors, and of `more` by name, in memory of its own. */
export async function siteOutput(
  backend: Backend,
  sources: SiteSources,
  at: TensorsOfBlock,
  more: ReadonlyMap<string, { readonly shape: Shape; readonly data: Float32Array }>,
  build: (g: Graph, params: ReadonlyMap<string, Value>, more: ReadonlyMap<string, Value>) => Value,
): Promise<Float32Array> {
  const g = newGraph();
  const params = paramInputs(g, at.site);
  const others = new Map(
    [...more].map(([name, { shape }]) => [name, g.input(`given.${name}`, "float32", shape)]),
  );
  g.output("made", build(g, params, others));
  const program = await backend.compile(g);
  const feeds = new Map<string, DeviceTensor>();
  for (const param of params.keys()) {
    if (!program.inputs.includes(param)) continue;
    const { shape, data } = paramValue(sources, at, param);
    feeds.set(param, backend.upload(data instanceof Int32Array ? "int32" : "float32", shape, data));
  }
  for (const [name, { shape, data }] of more)
    feeds.set(`given.${name}`, backend.upload("float32", shape, data));
  const result = (await program.run(feeds)).get("made");
  invariant(result, "the graph made nothing");
  const data = await backend.download(result);
  invariant(data instanceof Float32Array, "a method's output is float32");
  const own = data.slice();
  for (const tensor of [result, ...feeds.values()]) backend.release(tensor);
  await program.dispose();
  return own;
}
