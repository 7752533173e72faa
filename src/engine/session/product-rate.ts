/** @file How fast this machine multiplies matrices, measured in some hundredths of a second. */
import { invariant } from "../../shared/errors.ts";
import { newGraph } from "../core/graph.ts";
import { matmul } from "../core/ops.ts";
import { rateProduct } from "../plan/plan-time.ts";
import { createOrtBackend } from "../runtime/ort.ts";

const { rows, inner, columns } = rateProduct;

/** Operations a second on the CPU, of the fastest of a few products; `now` in milliseconds. */
export async function productRate(threads: number, now: () => number): Promise<number> {
  const backend = await createOrtBackend({ device: "cpu", threads });
  const g = newGraph();
  const a = g.input("a", "float32", [rows, inner]);
  const b = g.input("b", "float32", [inner, columns]);
  g.output("c", matmul(g, a, b));
  const program = await backend.compile(g);
  const ones = (count: number): Float32Array => new Float32Array(count).fill(1);
  const feeds = new Map([
    ["a", backend.upload("float32", [rows, inner], ones(rows * inner))],
    ["b", backend.upload("float32", [inner, columns], ones(inner * columns))],
  ]);
  let fastest = Infinity;
  for (let run = 0; run < 5; run++) {
    const started = now();
    await program.run(feeds);
    fastest = Math.min(fastest, now() - started);
  }
  await program.dispose();
  invariant(fastest > 0, "a product took no time");
  return (2 * rows * inner * columns) / (fastest / 1000);
}
