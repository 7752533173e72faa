/** @file Large float64 products by a backend, in the form that the linear algebra kernels take them. */
import type { Gemm } from "../../../kernels/linalg/index.ts";
import { InternalError } from "../../shared/errors.ts";
import { newGraph } from "../core/graph.ts";
import { matmul } from "../core/ops.ts";
import type { Backend, ProductForm, Products, Program } from "./backend.ts";

export interface BackendProducts {
  /** A B */
  readonly gemm: Gemm;
  /** A Bᵀ, of a B as it lies in memory. */
  readonly timesTransposed: Gemm;
  /** Frees the programs. */
  dispose(): Promise<void>;
}

/** Products by ONNX Runtime's (or the oracle's) float64 MatMul and Gemm. */
export function backendGemm(backend: Backend): BackendProducts {
  const { openProducts } = backend;
  const open = (how: ProductForm) =>
    openProducts === undefined
      ? programForEachSize(backend, how)
      : oneProgram(() => openProducts(how));
  const straight = open({ transB: false });
  const turned = open({ transB: true });
  return {
    gemm: (a, b, into) => straight.multiply(a, b, b.columns, into),
    timesTransposed: (a, b, into) => turned.multiply(a, b, b.rows, into),
    dispose: async () => {
      await straight.dispose();
      await turned.dispose();
    },
  };
}

type Operands = Parameters<Gemm>;
type Shape = readonly [rows: number, columns: number];

/** The product of two matrices that has so many columns. */
interface Multiplies {
  multiply(a: Operands[0], b: Operands[1], columns: number, into: Operands[2]): ReturnType<Gemm>;
  dispose(): Promise<void>;
}

function oneProgram(open: () => Promise<Products>): Multiplies {
  let opened: Promise<Products> | undefined;
  return {
    multiply: async (a, b, columns, into) => {
      const products = await (opened ??= open());
      const data = await products.multiply([a.rows, a.columns, columns], a.data, b.data, into);
      return { rows: a.rows, columns, data };
    },
    dispose: async () => {
      await (await opened)?.dispose();
      opened = undefined;
    },
  };
}

function programForEachSize(backend: Backend, how: ProductForm): Multiplies {
  const programs = new Map<string, Promise<Program>>();
  function programFor(ofA: Shape, ofB: Shape): Promise<Program> {
    const key = `${ofA.join(" ")} ${ofB.join(" ")}`;
    const known = programs.get(key);
    if (known !== undefined) return known;
    const g = newGraph();
    const a = g.input("a", "float64", ofA);
    const b = g.input("b", "float64", ofB);
    g.output("c", matmul(g, a, b, how));
    const made = backend.compile(g);
    programs.set(key, made);
    return made;
  }
  return {
    multiply: async (a, b, columns, into) => {
      const program = await programFor([a.rows, a.columns], [b.rows, b.columns]);
      const out = await program.run(
        new Map([
          ["a", backend.upload("float64", [a.rows, a.columns], a.data)],
          ["b", backend.upload("float64", [b.rows, b.columns], b.data)],
        ]),
        into && backend.preallocates && backend.sharesMemory
          ? new Map([["c", backend.upload("float64", [a.rows, columns], into)]])
          : undefined,
      );
      const c = out.get("c");
      const data = c === undefined ? undefined : await backend.download(c);
      if (!(data instanceof Float64Array))
        throw new InternalError("a product of float64 matrices gave something else");
      return { rows: a.rows, columns, data };
    },
    dispose: async () => {
      for (const program of programs.values()) await (await program).dispose();
      programs.clear();
    },
  };
}
