import type { FileWindow, VoiLut } from "../api/types";

/** Centre and width in the file's own output units (Hounsfield for CT), after slope and intercept. */
export interface Windowing {
  centre: number;
  width: number;
  invert: boolean;
  function: string;
  name: string;
  /** The file's own table, where it has one and no window; a drag of the window leaves it. */
  table?: VoiLut;
}

export interface Rescale {
  slope: number;
  intercept: number;
  photometric: string;
}

/** Grey of one output value, 0 to 255 before rounding (DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3). */
export function shown(value: number, { centre, width, function: name, table: own }: Windowing): number {
  if (own) {
    const place = Math.min(own.values.length - 1, Math.max(0, Math.floor(value + 0.5) - own.first));
    return Math.min(255, ((own.values[place] ?? 0) / (2 ** own.bits - 1)) * 255);
  }
  if (name === "SIGMOID") return 255 / (1 + Math.exp((-4 * (value - centre)) / width));
  const exact = name === "LINEAR_EXACT";
  const middle = exact ? centre : centre - 0.5;
  const span = exact ? width : width - 1;
  if (span <= 0) return value <= middle ? 0 : 255;
  return Math.min(255, Math.max(0, ((value - middle) / span + 0.5) * 255));
}

/** Whether the least value is to be white: MONOCHROME1 once, the reader's own inversion once more. */
export function isInverted(rescale: Rescale, windowing: Windowing): boolean {
  return (rescale.photometric === "MONOCHROME1") !== windowing.invert;
}

export type Samples = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array;

export function extent(samples: Samples): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < samples.length; i += 1) {
    const value = samples[i] as number;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Greys of every stored value from `low` to `high`: worked out once each, not once a pixel. */
export function table(low: number, high: number, rescale: Rescale, windowing: Windowing): Uint8ClampedArray {
  const greys = new Uint8ClampedArray(high - low + 1);
  const inverted = isInverted(rescale, windowing);
  for (let i = 0; i < greys.length; i += 1) {
    const grey = shown((low + i) * rescale.slope + rescale.intercept, windowing);
    greys[i] = Math.floor((inverted ? 255 - grey : grey) + 0.5);
  }
  return greys;
}

/** The file's first window; else its first table; else from the least to the greatest value. */
export function firstWindow(
  windows: readonly FileWindow[],
  rescale: Rescale,
  [low, high]: [number, number],
  tables: readonly VoiLut[] = [],
): Windowing {
  const first = windows[0];
  if (first) return fromFile(first);
  const ends = [low * rescale.slope + rescale.intercept, high * rescale.slope + rescale.intercept] as const;
  const range = full(Math.min(...ends), Math.max(...ends));
  const own = tables[0];
  return own
    ? { ...range, name: own.explanation || "Table of the file", table: own }
    : { ...range, name: "Full range" };
}

function full(least: number, most: number): Windowing {
  return { centre: (least + most) / 2, width: most - least || 1, invert: false, function: "LINEAR_EXACT", name: "" };
}

export function fromFile(window: FileWindow): Windowing {
  return {
    centre: window.centre,
    width: window.width,
    invert: false,
    function: window.function || "LINEAR",
    name: window.explanation || "From the file",
  };
}

/** Colour is shown as stored, its highest eight bits; window and level then act on what is shown. */
export const COLOUR_WINDOW: Windowing = {
  centre: 127.5,
  width: 255,
  invert: false,
  function: "LINEAR_EXACT",
  name: "As stored",
};

/** A drag right widens, a drag up brightens; a screen's width goes about once over the range in use. */
export function dragged(from: Windowing, dx: number, dy: number, range: number): Windowing {
  const step = Math.max(range, from.width) / 600;
  const least = range > 4 ? 1 : range / 1000;
  const { table: _left, ...plain } = from;
  return {
    ...plain,
    width: Math.max(least, from.width + dx * step),
    centre: from.centre + dy * step,
    name: "Own",
  };
}
