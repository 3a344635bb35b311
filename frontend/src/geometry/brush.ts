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
  const { points } = stroke;
  for (const [index, point] of points.entries())
    cover(pixels, image, points[index - 1] ?? point, point, stroke.radius, isErasing ? 0 : 1);
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

/** Sets the pixels whose centres lie within `radius` of a line, and those under its ends however small the brush is. */
function cover(pixels: Uint8Array, image: Size, a: Point, b: Point, radius: number, value: 0 | 1): void {
  const reach: Bounds = [
    Math.min(a[0], b[0]) - radius,
    Math.min(a[1], b[1]) - radius,
    Math.max(a[0], b[0]) + radius,
    Math.max(a[1], b[1]) + radius,
  ];
  const [x0, y0, x1, y1] = clipped(reach, image);
  const [alongX, alongY] = [b[0] - a[0], b[1] - a[1]];
  const length = alongX * alongX + alongY * alongY;
  for (let y = y0; y < y1; y += 1) {
    for (let x = x0; x < x1; x += 1) {
      const [fromX, fromY] = [x + 0.5 - a[0], y + 0.5 - a[1]];
      const part = length ? Math.min(1, Math.max(0, (fromX * alongX + fromY * alongY) / length)) : 0;
      const [dx, dy] = [fromX - part * alongX, fromY - part * alongY];
      if (dx * dx + dy * dy <= radius * radius) pixels[y * image.width + x] = value;
    }
  }
  for (const [x, y] of [a, b]) {
    if (x >= 0 && y >= 0 && x < image.width && y < image.height)
      pixels[Math.floor(y) * image.width + Math.floor(x)] = value;
  }
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
