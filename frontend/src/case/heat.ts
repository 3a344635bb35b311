// From a token grid's values to colours and to a place on the image. Starts at chance (1×), ends at 4×.
import type { HeatMap, Transform } from "./data";

export const CHANCE = 1;
export const TOP = 4;
export const CONTOUR = 2;

/** Values over their mean: 1 is what the average cell gets. An all-zero map stays zero. */
export function timesAverage(map: Pick<HeatMap, "values">): number[][] {
  let sum = 0;
  let count = 0;
  for (const row of map.values) {
    for (const value of row) {
      sum += value;
      count += 1;
    }
  }
  const mean = count > 0 ? sum / count : 0;
  return map.values.map((row) => row.map((value) => (mean > 0 ? value / mean : 0)));
}

export type Rgb = [number, number, number];

export function parseHex(hex: string): Rgb {
  const digits = hex.trim().replace("#", "");
  return [0, 2, 4].map((at) => Number.parseInt(digits.slice(at, at + 2), 16)) as Rgb;
}

/** Colour and opacity (0 to 1) of a value in times average: nothing at or below chance, then more with the value. */
export function colourOf(value: number, ramp: readonly Rgb[]): { rgb: Rgb; alpha: number } {
  const at = Math.min(Math.max((value - CHANCE) / (TOP - CHANCE), 0), 1);
  const place = at * (ramp.length - 1);
  const low = Math.floor(place);
  const first = ramp[low] ?? [0, 0, 0];
  const second = ramp[Math.min(low + 1, ramp.length - 1)] ?? first;
  const share = place - low;
  const rgb = first.map((part, index) => Math.round(part + ((second[index] ?? part) - part) * share)) as Rgb;
  return { rgb, alpha: Math.sqrt(at) };
}

/** The grid as pixels, one a cell, row by row. */
export function cellPixels(values: readonly (readonly number[])[], ramp: readonly Rgb[]): Uint8ClampedArray {
  const columns = values[0]?.length ?? 0;
  const pixels = new Uint8ClampedArray(values.length * columns * 4);
  let at = 0;
  for (const row of values) {
    for (const value of row) {
      const { rgb, alpha } = colourOf(value, ramp);
      pixels.set([...rgb, Math.round(alpha * 255)], at);
      at += 4;
    }
  }
  return pixels;
}

export interface Placed {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where the whole grid lies on the image, in image pixels: the processor's transform undone. */
export function placeOf(transform: Transform): Placed {
  const [rows, columns] = transform.grid_shape;
  const [cellHeight, cellWidth] = transform.cell_size;
  const [scaleX, scaleY] = transform.scale_xy;
  const [offsetX, offsetY] = transform.offset_xy;
  return {
    x: 0 - offsetX / scaleX,
    y: 0 - offsetY / scaleY,
    width: (columns * cellWidth) / scaleX,
    height: (rows * cellHeight) / scaleY,
  };
}

/** Edges between cells at or above `level` and those below, as an SVG path in cells. */
export function contourPath(values: readonly (readonly number[])[], level: number = CONTOUR): string {
  const isIn = (row: number, column: number) => (values[row]?.[column] ?? Number.NEGATIVE_INFINITY) >= level;
  const parts: string[] = [];
  values.forEach((row, r) => {
    row.forEach((_, c) => {
      if (!isIn(r, c)) return;
      if (!isIn(r - 1, c)) parts.push(`M${c} ${r}h1`);
      if (!isIn(r + 1, c)) parts.push(`M${c} ${r + 1}h1`);
      if (!isIn(r, c - 1)) parts.push(`M${c} ${r}v1`);
      if (!isIn(r, c + 1)) parts.push(`M${c + 1} ${r}v1`);
    });
  });
  return parts.join("");
}
