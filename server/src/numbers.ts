/** @file Numbers as hints and messages write them. */

/** `12,288`. */
export function countText(value: number): string {
  return value.toLocaleString("en-US");
}

/** `0.6 %`, `100 %`, `< 0.01 %`. */
export function shareText(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.01) return "< 0.01 %";
  const digits = percent >= 10 ? 0 : percent >= 1 ? 1 : 2;
  return `${Number(percent.toFixed(digits))} %`;
}

/** `310 MB`, `1.9 GB`: powers of ten, as the command line writes them. */
export function memoryText(bytes: number): string {
  if (bytes < 1e9) return `${Math.round(bytes / 1e6)} MB`;
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** `2`, `1.41`, `1.0e-4`. */
export function scaleText(value: number): string {
  return String(Number(value.toPrecision(3)));
}
