/** @file The generate view: one prompt, the base and the tuned model side by side, as they write. */
import type { WorkEnd } from "../analysis.ts";
import { answers, nothing, tells } from "../channel.ts";
import { count, flag, listOf, object, real, text } from "../wire.ts";
import type { PanelContract } from "./panel.ts";
import { commonRequests } from "./panel.ts";

/** A run's folder, an adapter's, or a model's, as `spectune generate` takes it. */
export interface GenerateSubject {
  readonly model: string;
}

export interface GenerateView {
  readonly model: string;
  readonly label: string;
  /** Whether there is a base to set it against. */
  readonly hasBase: boolean;
  readonly working: boolean;
}

export interface GenerateQuestion {
  readonly prompt: string;
  readonly chat: boolean;
  readonly compare: boolean;
  readonly maxNewTokens: number;
  /** 0 takes the likeliest token. */
  readonly temperature: number;
  readonly seed: number;
  readonly stop: readonly string[];
}

export type GenerateSide = "base" | "tuned";

export const generatePanel = {
  name: "generate",
  subject: object<GenerateSubject>({ model: text }, {}),
  requests: {
    ...commonRequests,
    load: answers<GenerateView>().to(nothing),
    generate: answers<null>().to(
      object<GenerateQuestion>(
        {
          prompt: text,
          chat: flag,
          compare: flag,
          maxNewTokens: count,
          temperature: real,
          seed: count,
          stop: listOf(text),
        },
        {},
      ),
    ),
    cancel: answers<null>().to(nothing),
  },
  events: {
    /** The model is being read. */
    loading: tells<{ readonly text: string }>(),
    piece: tells<{ readonly side: GenerateSide; readonly text: string }>(),
    ended: tells<WorkEnd>(),
  },
} as const satisfies PanelContract;
