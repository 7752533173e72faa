/** @file Compiles each distinct program once: equal graphs, such as those of equal layers, share it. */
import type { Graph } from "../core/graph.ts";
import { printGraph } from "../core/print.ts";
import type { Backend, Program } from "../runtime/backend.ts";

export interface ProgramCache {
  compile(graph: Graph): Promise<Program>;
  /** Programs compiled so far, over the cache's life. */
  compiled(): number;
  dispose(): Promise<void>;
}

export function createProgramCache(backend: Backend): ProgramCache {
  const programs = new Map<string, Promise<Program>>();
  return {
    compile(graph) {
      const key = printGraph(graph);
      const known = programs.get(key);
      if (known) return known;
      const program = backend.compile(graph);
      programs.set(key, program);
      return program;
    },
    compiled: () => programs.size,
    async dispose() {
      const all = await Promise.all(programs.values());
      programs.clear();
      await Promise.all(all.map((program) => program.dispose()));
    },
  };
}
