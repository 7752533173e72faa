/** @file The world as a running server needs it: facts, and being told when they change. */
import type { Facts } from "./facts.ts";

export interface World {
  readonly facts: Facts;
  /** Called whenever an answer has come or changed. */
  readonly onChange: (listener: () => void) => void;
  /** Somebody types: long computations wait. */
  readonly typed: () => void;
  /** An editor holds a file's text. */
  readonly open: (file: string, text: string) => void;
  readonly close: (file: string) => void;
  /** Files have changed: everything is looked at again. */
  readonly recheck: () => void;
  /** Resolves when nothing is being loaded, or after so many milliseconds; whether there was anything. */
  readonly settled: (withinMs: number) => Promise<boolean>;
}
