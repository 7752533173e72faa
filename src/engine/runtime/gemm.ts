/** @file Large float64 products by a backend, in the form that the linear algebra kernels take them. */
import type { Gemm } from "../../../kernels/linalg/index.ts";
import { InternalError } from "../../shared/errors.ts";
import { newGraph } from "../core/graph.ts";
import { matmul } from "../core/ops.ts";
import type { Backend, Products, Program } from "./backend.ts";

/** A B by ONNX Runtime's (or the oracle's) float64 MatMul, the operands as they lie in memory. `dispose` frees its programs. */
export function backendGemm(backend: Backend): {
  readonly gemm: Gemm;
  dispose(): Promise<void>;
} {
  const { openProducts } = backend;
  return openProducts === undefined ? programForEachSize(backend) : oneProgram(openProducts);
}

function oneProgram(open: () => Promise<Products>): ReturnType<typeof backendGemm> {
  let opened: Promise<Products> | undefined;
  return {
    gemm: async (a, b, into) => {
      const products = await (opened ??= open());
      const data = await products.multiply([a.rows, a.columns, b.columns], a.data, b.data, into);
      return { rows: a.rows, columns: b.columns, data };
    },
    dispose: async () => {
      await (await opened)?.dispose();
      opened = undefined;
    },
  };
}

function programForEachSize(backend: Backend): ReturnType<typeof backendGemm> {
  const programs = new Map<string, Promise<Program>>();
  function programFor(rows: number, inner: number, columns: number): Promise<Program> {
    const key = `${rows} ${inner} ${columns}`;
    const known = programs.get(key);
    if (known !== undefined) return known;
    const g = newGraph();
    const a = g.input("a", "float64", [rows, inner]);
    const b = g.input("b", "float64", [inner, columns]);
    g.output("c", matmul(g, a, b));
    const made = backend.compile(g);
    programs.set(key, made);
    return made;
  }
  return {
    gemm: async (a, b, into) => {
      const program = await programFor(a.rows, a.columns, b.columns);
      const out = await program.run(
        new Map([
          ["a", backend.upload("float64", [a.rows, a.columns], a.data)],
          ["b", backend.upload("float64", [b.rows, b.columns], b.data)],
        ]),
        into && backend.preallocates && backend.sharesMemory
          ? new Map([["c", backend.upload("float64", [a.rows, b.columns], into)]])
          : undefined,
      );
      const c = out.get("c");
      const data = c === undefined ? undefined : await backend.download(c);
      if (!(data instanceof Float64Array))
        throw new InternalError("a product of float64 matrices gave something else");
      return { rows: a.rows, columns: b.columns, data };
    },
    dispose: async () => {
      for (const program of programs.values()) await (await program).dispose();
      programs.clear();
    },
  };
}
