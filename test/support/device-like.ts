/** @file A backend on the CPU that holds its tensors apart from the host's, as an accelerator does. */
import type { Backend } from "../../src/engine/runtime/backend.ts";

/** Uploads copy, and programs make outputs of their own. */
export function deviceLike(inner: Backend): Backend {
  return {
    ...inner,
    name: `${inner.name} apart`,
    sharesMemory: false,
    preallocates: false,
    upload: (dtype, shape, data) => inner.upload(dtype, shape, data.slice()),
    async compile(graph) {
      const program = await inner.compile(graph);
      return { ...program, run: (feeds) => program.run(feeds) };
    },
  };
}
