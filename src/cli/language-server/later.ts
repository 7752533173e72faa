/** @file Work that is too long for a keystroke: one piece at a time, when nothing else is asked for. */

export interface Later {
  /** Does the work once, before long; of what waits under one key, the latest. */
  readonly add: (key: string, work: () => void) => void;
  /** Something was typed: what waits goes on waiting a little. */
  readonly postpone: () => void;
  /** Does all that waits at once. */
  readonly finish: () => void;
  /** Whether nothing waits. */
  readonly isDone: () => boolean;
}

/** Less than a pause between two words, more than between two keys. */
const idleMs = 150;

/** `failed` is told of what a piece of work threw; `changed` is called after each. */
export function createLater(changed: () => void, failed: (error: unknown) => void): Later {
  const waiting = new Map<string, () => void>();
  /** Work that failed is not tried again: it would fail for ever. */
  const broken = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  const doFirst = (): void => {
    const [first] = waiting;
    if (first === undefined) return;
    const [key, work] = first;
    waiting.delete(key);
    try {
      work();
    } catch (error) {
      broken.add(key);
      failed(error);
    }
    changed();
  };
  const next = (): void => {
    timer = undefined;
    doFirst();
    schedule();
  };
  const schedule = (): void => {
    if (timer === undefined && waiting.size > 0) timer = setTimeout(next, idleMs);
  };

  return {
    add(key, work) {
      if (!broken.has(key)) waiting.set(key, work);
      schedule();
    },
    postpone() {
      clearTimeout(timer);
      timer = undefined;
      schedule();
    },
    finish() {
      clearTimeout(timer);
      timer = undefined;
      while (waiting.size > 0) doFirst();
    },
    isDone: () => waiting.size === 0,
  };
}
