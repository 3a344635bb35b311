// Painting masks: what a stroke of a round brush covers, added to a mask or taken from it. No DOM.
import type { MaskGeometry, ShapeGeometry } from "../api/types";
import { decodeMask, encodeMask } from "./mask";
import { bounds, contains } from "./shapes";
import type { Bounds, Point } from "./types";

interface Size {
  width: number;
  height: number;
}

/** Where a round brush went, in image pixels. */
export interface Stroke {
  points: readonly Point[];
  radius: number;
}

/** The mask with what the stroke covers, or without it; null where no pixel is left. `mask` null is an empty one. */
export function stroked(
  mask: MaskGeometry | null,
  stroke: Stroke,
  image: Size,
  isErasing: boolean,
): MaskGeometry | null {
  const pixels = mask ? decodeMask(mask) : new Uint8Array(image.width * image.height);
  paint(pixels, image, stroke, isErasing ? 0 : 1);
  return pixels.includes(1) ? encodeMask(pixels, image.width, image.height) : null;
}

/** A shape as a mask of the image's pixels, a pixel by its centre; null where it covers none. */
export function maskOf(roi: ShapeGeometry, image: Size): MaskGeometry | null {
  if (roi.shape === "mask") return roi.geometry;
  const pixels = new Uint8Array(image.width * image.height);
  const [x0, y0, x1, y1] = clipped(bounds(roi), image);
  for (let y = y0; y < y1; y += 1) {
    for (let x = x0; x < x1; x += 1) if (contains(roi, x + 0.5, y + 0.5)) pixels[y * image.width + x] = 1;
  }
  return pixels.includes(1) ? encodeMask(pixels, image.width, image.height) : null;
}

/**
 * Sets the pixels whose centres lie within the radius of a stroke, and those under its points however small the brush is.
 * Row by row, each pixel once: a wide brush that went a long way would else set the same millions of pixels at every step.
 */
function paint(pixels: Uint8Array, image: Size, { points, radius }: Stroke, value: 0 | 1): void {
  const parts = points.map((point, index) => partOf(points[index - 1] ?? point, point, radius, image));
  const top = parts.reduce((least, { y0 }) => Math.min(least, y0), image.height);
  const bottom = parts.reduce((most, { y1 }) => Math.max(most, y1), 0);
  const begun = new Int32Array(image.width + 1);
  for (let y = top; y < bottom; y += 1) {
    begun.fill(0);
    for (const part of parts) {
      if (y < part.y0 || y >= part.y1) continue;
      const [x0, x1] = rowOf(part, y, image.width);
      if (x0 >= x1) continue;
      begun[x0] = (begun[x0] as number) + 1;
      begun[x1] = (begun[x1] as number) - 1;
    }
    for (let x = 0, depth = 0; x < image.width; x += 1) {
      depth += begun[x] as number;
      if (depth) pixels[y * image.width + x] = value;
    }
  }
  for (const [x, y] of points) {
    if (x >= 0 && y >= 0 && x < image.width && y < image.height)
      pixels[Math.floor(y) * image.width + Math.floor(x)] = value;
  }
}

/** From `a` to `b`: a piece of a stroke, and the rows that it may touch. */
interface Part {
  a: Point;
  b: Point;
  radius: number;
  y0: number;
  y1: number;
}

function partOf(a: Point, b: Point, radius: number, image: Size): Part {
  const reach: Bounds = [0, Math.min(a[1], b[1]) - radius, 0, Math.max(a[1], b[1]) + radius];
  const [, y0, , y1] = clipped(reach, image);
  return { a, b, radius, y0, y1 };
}

/** Which pixels of a row a piece covers, one stretch since it is convex: about first, then by asking those at its ends. */
function rowOf(part: Part, y: number, width: number): [number, number] {
  const { a, b, radius } = part;
  const [alongX, alongY] = [b[0] - a[0], b[1] - a[1]];
  const length = Math.hypot(alongX, alongY);
  const [sideX, sideY] = length ? [(-alongY / length) * radius, (alongX / length) * radius] : [0, 0];
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const meets = (x: number): void => {
    low = Math.min(low, x);
    high = Math.max(high, x);
  };
  for (const [x, fromY] of [
    [a[0], y + 0.5 - a[1]],
    [b[0], y + 0.5 - b[1]],
  ] as const) {
    if (Math.abs(fromY) > radius) continue;
    const half = Math.sqrt(radius * radius - fromY * fromY);
    meets(x - half);
    meets(x + half);
  }
  for (const sign of alongY ? [1, -1] : []) {
    const at = (y + 0.5 - a[1] - sign * sideY) / alongY;
    if (at >= 0 && at <= 1) meets(a[0] + sign * sideX + at * alongX);
  }
  if (low > high) return [0, 0];
  let x0 = Math.max(0, Math.min(width, Math.ceil(low - 0.5)));
  let x1 = Math.max(0, Math.min(width, Math.floor(high - 0.5) + 1));
  while (x0 < x1 && !covers(part, x0, y)) x0 += 1;
  while (x1 > x0 && !covers(part, x1 - 1, y)) x1 -= 1;
  while (x0 > 0 && covers(part, x0 - 1, y)) x0 -= 1;
  while (x1 < width && covers(part, x1, y)) x1 += 1;
  return [x0, x1];
}

/** Whether a pixel's centre lies within the radius. */
function covers({ a, b, radius }: Part, x: number, y: number): boolean {
  const [alongX, alongY] = [b[0] - a[0], b[1] - a[1]];
  const length = alongX * alongX + alongY * alongY;
  const [fromX, fromY] = [x + 0.5 - a[0], y + 0.5 - a[1]];
  const part = length ? Math.min(1, Math.max(0, (fromX * alongX + fromY * alongY) / length)) : 0;
  const [dx, dy] = [fromX - part * alongX, fromY - part * alongY];
  return dx * dx + dy * dy <= radius * radius;
}

/** Whole pixels that a rectangle touches, inside the image. */
function clipped([x0, y0, x1, y1]: Bounds, { width, height }: Size): Bounds {
  return [
    Math.max(0, Math.floor(x0)),
    Math.max(0, Math.floor(y0)),
    Math.min(width, Math.ceil(x1)),
    Math.min(height, Math.ceil(y1)),
  ];
}
