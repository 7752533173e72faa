/** @file A page's side of its panel: the channel to the host, what it shows, and its texts. */
import type { ChannelClient, Port } from "../../src/shared/channel.ts";
import { channelClient } from "../../src/shared/channel.ts";
import type { Boot, PanelContract, SubjectOf } from "../../src/shared/panels/panel.ts";
import { decoded } from "../../src/shared/panels/panel.ts";
import { translate } from "../../src/shared/translate.ts";
import { isRecord, parseJson, sentByOurBuild } from "../../src/shared/wire.ts";

/** The editor's interface to a page; there is one for each page, and it can be fetched once. */
declare function acquireVsCodeApi(): {
  readonly postMessage: (message: unknown) => void;
  readonly getState: () => unknown;
  readonly setState: (state: unknown) => void;
};

export interface PanelPage<P extends PanelContract> extends ChannelClient<P> {
  readonly subject: SubjectOf<P>;
  /** Keeps another subject for the next reload. */
  readonly keep: (subject: SubjectOf<P>) => void;
  /** A text in the editor's language. */
  readonly t: (english: string, ...values: readonly (string | number)[]) => string;
  readonly language: string;
}

/** Connects the page; to be called once. */
export function connect<P extends PanelContract>(contract: P): PanelPage<P> {
  const editor = acquireVsCodeApi();
  const boot = bootOf(document.getElementById("boot")?.textContent ?? "");
  const port: Port = {
    post: (message) => editor.postMessage(message),
    listen: (listener) =>
      window.addEventListener("message", ({ data }: MessageEvent<unknown>) => listener(data)),
  };
  const kept = decoded(contract.subject, editor.getState());
  const subject = sentByOurBuild<SubjectOf<P>>(kept ?? boot.subject);
  editor.setState(subject);
  return {
    ...channelClient<P>(port),
    subject,
    keep: (next) => editor.setState(next),
    t: (english, ...values) => translate(boot.strings, english, ...values),
    language: boot.language,
  };
}

function bootOf(text: string): Boot {
  const boot = parseJson(text);
  if (!isRecord(boot)) throw new Error("The page has no boot data.");
  return sentByOurBuild<Boot>(boot);
}
