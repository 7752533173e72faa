/** @file The report of a run or a sweep: the page that lies in its folder, shown in the editor. */
import { object, text } from "../wire.ts";
import type { Decoder } from "../wire.ts";

/** Kept by its page, so that it is shown again after a reload. */
export interface ReportSubject {
  readonly file: string;
}

export const reportPanelType = "spectune.report";

export const reportSubject: Decoder<ReportSubject> = object<ReportSubject>({ file: text }, {});
