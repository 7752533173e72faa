/** @file Numbers and tables as people read them. */

/** 1234567 → `1,234,567`. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** Bytes with a decimal unit: `310 MB`. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${scaled >= 99.5 || unit === 0 ? scaled.toFixed(0) : scaled.toPrecision(3)} ${units[unit] ?? ""}`;
}

/** Seconds as `42 s`, `3 min 20 s` or `2 h 05 min`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

/** A share as per cent with one digit. */
export function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}

/** A loss or metric with four significant digits. */
export function figure(value: number): string {
  return Number.isFinite(value) ? value.toPrecision(4) : String(value);
}

/** Columns under headings; numbers (as told by the heading's alignment) to the right. */
export function table(
  head: readonly { readonly title: string; readonly right?: boolean }[],
  rows: readonly (readonly string[])[],
): string {
  const widths = head.map(({ title }, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    head
      .map(({ right }, column) => {
        const cell = cells[column] ?? "";
        const width = widths[column] ?? 0;
        return right === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  return [line(head.map(({ title }) => title)), rule, ...rows.map(line), ""].join("\n");
}
