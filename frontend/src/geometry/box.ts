import type { BoxGeometry } from "../api/types";
import type { Bounds } from "./types";

export type Handle = "nw" | "n" | "ne" | "e" | "se" | "s" | "sw" | "w";
export const HANDLES: readonly Handle[] = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];

/** The smallest side a box can be dragged to, in image pixels; the server wants x0 < x1. */
export const LEAST_SIDE = 0.5;

export function boxArea(box: BoxGeometry): number {
  return (box.x1 - box.x0) * (box.y1 - box.y0);
}

export function boxBounds(box: BoxGeometry): Bounds {
  return [box.x0, box.y0, box.x1, box.y1];
}

export function boxContains(box: BoxGeometry, x: number, y: number): boolean {
  return x >= box.x0 && x < box.x1 && y >= box.y0 && y < box.y1;
}

export function handlePoint(box: BoxGeometry, handle: Handle): [number, number] {
  const x = handle.includes("w") ? box.x0 : handle.includes("e") ? box.x1 : (box.x0 + box.x1) / 2;
  const y = handle.startsWith("n") ? box.y0 : handle.startsWith("s") ? box.y1 : (box.y0 + box.y1) / 2;
  return [x, y];
}

// A thousandth of a pixel is finer than any pointer and keeps the JSON short.
const round = (value: number): number => Math.round(value * 1000) / 1000;
const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/** The box between two corners in any order, cut to the image; null if it is thinner than `LEAST_SIDE`. */
export function boxBetween(
  a: [number, number],
  b: [number, number],
  width: number,
  height: number,
): BoxGeometry | null {
  const x0 = round(clamp(Math.min(a[0], b[0]), 0, width));
  const x1 = round(clamp(Math.max(a[0], b[0]), 0, width));
  const y0 = round(clamp(Math.min(a[1], b[1]), 0, height));
  const y1 = round(clamp(Math.max(a[1], b[1]), 0, height));
  return x1 - x0 < LEAST_SIDE || y1 - y0 < LEAST_SIDE ? null : { x0, y0, x1, y1 };
}

/** One handle dragged to (x, y); a side dragged past its opposite turns the box over. */
export function resizeBox(
  box: BoxGeometry,
  handle: Handle,
  x: number,
  y: number,
  width: number,
  height: number,
): BoxGeometry {
  const left = handle.includes("w") ? x : box.x0;
  const right = handle.includes("e") ? x : box.x1;
  const top = handle.startsWith("n") ? y : box.y0;
  const bottom = handle.startsWith("s") ? y : box.y1;
  return boxBetween([left, top], [right, bottom], width, height) ?? box;
}
