/** @file What an interval is, and what it is made with. */

/** Both ends belong to it. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** How often an interval made this way holds the true value; inside (0, 1). */
export type Confidence = number;
