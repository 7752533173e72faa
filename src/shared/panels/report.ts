/** @file The report of a run or a sweep: the page that lies in its folder, shown in the editor. */
import { object, text } from "../wire.ts";
import type { Decoder } from "../wire.ts";

/** Kept by its page, so that it is shown again after a reload. */
export interface ReportSubject {
  readonly file: string;
}

export const reportPanelType = "spectune.report";

export const reportSubject: Decoder<ReportSubject> = object<ReportSubject>({ file: text }, {});

/** A file that the page offers: its link, as `data:TYPE;base64,…`. */
export interface ReportFile {
  readonly name: string;
  readonly link: string;
}

export const reportFile: Decoder<ReportFile> = object<ReportFile>({ name: text, link: text }, {});
