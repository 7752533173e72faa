/** @file Answers that are loaded once, kept, and loaded again when what they came from has changed; asking never waits. */
import { errorCode } from "../../engine/runs/file-errors.ts";
import { UserError, messageOf } from "../../shared/errors.ts";
import type { Known, Problem } from "../../../server/src/facts.ts";

/** What is being loaded just now, of all kinds. */
export interface Work {
  readonly start: (work: Promise<void>) => void;
  /** Resolves when nothing is being loaded, or after so many milliseconds; whether there was anything. */
  readonly settled: (withinMs: number) => Promise<boolean>;
}

export interface Loader<K> {
  readonly key: (question: K) => string;
  /** Changes with what is loaded: times and sizes of files. */
  readonly stamp: (question: K) => Promise<string>;
}

export interface Answers<K, T> {
  /** The answer as far as it is there; asks for it otherwise. */
  readonly ask: (question: K) => Known<T>;
  /** Whether it has been asked before. */
  readonly isKept: (question: K) => boolean;
  /** Everything is looked at again when it is next asked for. */
  readonly recheck: () => void;
}

/** How old an answer may be before its stamp is looked at again. */
const freshMs = 2000;
const mostKept = 300;

interface Kept<T> {
  known: Known<T>;
  stamp: string | undefined;
  checkedAt: number;
  busy: boolean;
}

/** `changed` is called after an answer has come or changed. */
export function createAnswers<K, T>(
  work: Work,
  changed: () => void,
  { key, stamp, load }: Loader<K> & { readonly load: (question: K) => Promise<T> },
): Answers<K, T> {
  const kept = new Map<string, Kept<T>>();

  async function update(question: K, entry: Kept<T>): Promise<void> {
    entry.busy = true;
    const now = await stamp(question).catch(() => "");
    if (now !== entry.stamp) {
      entry.known = await load(question).then(
        (value) => ({ state: "known", value }) as const,
        (error: unknown) => ({ state: "absent", why: problemOf(error) }) as const,
      );
      entry.stamp = now;
      changed();
    }
    entry.checkedAt = performance.now();
    entry.busy = false;
  }

  return {
    ask(question) {
      const name = key(question);
      const entry = kept.get(name) ?? {
        known: { state: "pending" },
        stamp: undefined,
        checkedAt: -Infinity,
        busy: false,
      };
      // The last that was asked for is the last to go.
      kept.delete(name);
      kept.set(name, entry);
      if (kept.size > mostKept) for (const old of [...kept.keys()].slice(0, 1)) kept.delete(old);
      if (!entry.busy && performance.now() - entry.checkedAt > freshMs)
        work.start(update(question, entry));
      return entry.known;
    },
    isKept: (question) => kept.has(key(question)),
    recheck() {
      for (const entry of kept.values()) entry.checkedAt = -Infinity;
    },
  };
}

export function createWork(): Work {
  const loading = new Set<Promise<void>>();
  return {
    start(work) {
      const tracked = work.finally(() => loading.delete(tracked));
      loading.add(tracked);
    },
    async settled(withinMs) {
      if (loading.size === 0) return false;
      const end = performance.now() + withinMs;
      while (loading.size > 0 && performance.now() < end) {
        let timer: NodeJS.Timeout | undefined;
        const late = new Promise<void>((resolve) => {
          timer = setTimeout(resolve, Math.max(1, end - performance.now()));
        });
        await Promise.race([Promise.all(loading), late]);
        clearTimeout(timer);
      }
      return true;
    },
  };
}

/** What is wrong with the world is an answer; what is wrong with the program is one too, with its own words. */
function problemOf(error: unknown): Problem {
  if (error instanceof UserError) {
    const { code, message, remedy } = error;
    return { code, message, remedy };
  }
  const message = messageOf(error);
  const missing = errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR";
  return { code: missing ? "no-such-file" : "unreadable", message };
}
