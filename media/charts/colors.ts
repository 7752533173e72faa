/**
 * @file Colours of charts: a sequence for series, and even scales for heat maps, made in OKLab so that equal steps look equal.
 *
 * Ottosson, "A perceptual color space for image processing", 2020, https://bottosson.github.io/posts/oklab/.
 */

export type Rgb = readonly [red: number, green: number, blue: number];

/** Lightness in [0, 1], chroma, hue in degrees. */
type Lch = readonly [lightness: number, chroma: number, hue: number];

/** 256 colours. `value`: dark blue over green to yellow, so that its order shows without hue too. */
export const scales = {
  value: scale([
    [0.25, 0.09, 280],
    [0.45, 0.11, 245],
    [0.62, 0.11, 190],
    [0.78, 0.15, 140],
    [0.93, 0.17, 105],
  ]),
  /** From one side over almost white to the other. */
  difference: scale([
    [0.4, 0.15, 255],
    [0.7, 0.09, 245],
    [0.96, 0.01, 100],
    [0.7, 0.12, 50],
    [0.42, 0.15, 30],
  ]),
} as const;

export type Scale = keyof typeof scales;

/** The colour at a share in [0, 1] of a scale; what is no number has none. */
export function colorAt(name: Scale, share: number): Rgb | undefined {
  if (Number.isNaN(share)) return undefined;
  const place = Math.round(255 * Math.min(1, Math.max(0, share)));
  return scales[name][place];
}

/** Colours that many series are told apart by, also by those who see no red or green; for a dark or a light ground. */
export function seriesColor(index: number, isDark: boolean): string {
  const hue = [250, 55, 160, 330, 100, 205, 20, 290][index % 8] ?? 0;
  // Every second one is a little lighter: they differ without hue too.
  const lightness = (isDark ? 0.76 : 0.52) + (index % 2 === 0 ? 0 : isDark ? -0.1 : 0.08);
  return css(rgbOf([lightness, 0.13, hue]));
}

export function css([red, green, blue]: Rgb): string {
  return `rgb(${red}, ${green}, ${blue})`;
}

function scale(stops: readonly Lch[]): readonly Rgb[] {
  return Array.from({ length: 256 }, (_, place) => {
    const at = (place / 255) * (stops.length - 1);
    const index = Math.min(stops.length - 2, Math.floor(at));
    const [from, to] = [stops[index], stops[index + 1]];
    if (from === undefined || to === undefined) return [0, 0, 0];
    const share = at - index;
    // Straight through OKLab: hues of neighbours are near, and chroma dips nowhere.
    const [a, b] = [labOf(from), labOf(to)];
    return rgbOfLab([
      a[0] + (b[0] - a[0]) * share,
      a[1] + (b[1] - a[1]) * share,
      a[2] + (b[2] - a[2]) * share,
    ]);
  });
}

type Triple = readonly [number, number, number];

function labOf([lightness, chroma, hue]: Lch): Triple {
  const angle = (hue * Math.PI) / 180;
  return [lightness, chroma * Math.cos(angle), chroma * Math.sin(angle)];
}

function rgbOf(color: Lch): Rgb {
  return rgbOfLab(labOf(color));
}

/** OKLab to sRGB, what lies outside of it at its edge. */
function rgbOfLab([lightness, a, b]: Triple): Rgb {
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    encoded(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
    encoded(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
    encoded(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short),
  ];
}

function encoded(linear: number): number {
  const light = Math.min(1, Math.max(0, linear));
  const share = light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055;
  return Math.round(255 * share);
}
