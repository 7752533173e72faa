/** @file Names of folders and entries that sort by time. */
import { basename } from "node:path";

/** `20260203-140509-123-name`, time in UTC, with a number behind it from the second try on. */
export function stampedName(name: string, time: number, again: number): string {
  const [day = "", clock = ""] = new Date(time).toISOString().split(/[TZ]/);
  const stamp = `${day.replaceAll("-", "")}-${clock.replaceAll(":", "").replace(".", "-")}`;
  const plain = basename(name)
    .replaceAll(/[^\p{L}\p{N}._-]+/gu, "-")
    .replaceAll(/^[-.]+|[-.]+$/g, "")
    .slice(0, 60);
  return `${stamp}-${plain === "" ? "sweep" : plain}${again === 1 ? "" : `-${again}`}`;
}
