/** @file Numbers as people read them in charts and tables; never more digits than they have. */

/** Four significant digits, powers of ten where it is very small or large, "–" where there is none. */
export function short(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "–";
  if (value === 0) return "0";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return minus(power(value));
  return minus(trimmed(value.toPrecision(size >= 1000 ? Math.ceil(Math.log10(size + 1)) : 4)));
}

/** 2.0e-4 as 2e-4, without a plus. */
function power(value: number): string {
  const [digits = "", exponent = ""] = value.toExponential(2).split("e");
  return `${trimmed(digits)}e${exponent.replace("+", "")}`;
}

function trimmed(digits: string): string {
  return digits.includes(".") ? digits.replace(/0+$/, "").replace(/\.$/, "") : digits;
}

function minus(text: string): string {
  return text.replace(/^-/, "−");
}

const units = ["B", "kB", "MB", "GB", "TB"] as const;

/** Bytes in powers of 1000, as the command line writes them. */
export function bytes(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "–";
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  const scaled = value / 1000 ** power;
  return `${trimmed(scaled.toPrecision(scaled >= 100 ? 3 : 3))} ${units[power] ?? ""}`;
}

/** Hours, minutes and seconds, the two largest that are not zero. */
export function duration(seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds)) return "–";
  if (seconds < 10) return `${trimmed(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (h > 0) return `${h} h ${m} min`;
  return m > 0 ? `${m} min ${s} s` : `${s} s`;
}

/** Whole numbers with thin groups of three. */
export function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, "\u2009");
}
