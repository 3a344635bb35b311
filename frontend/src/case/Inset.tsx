// A small region enlarged in the corner of its image, at the same place on both sides.
import type { ComponentChildren } from "preact";
import type { ImageInfo, Roi } from "../api/types";
import { bounds } from "../geometry/shapes";

const SMALL = 0.15;
const AROUND = 1.8;

export interface Window {
  x: number;
  y: number;
  side: number;
}

/** A square about all regions if together they are under 15 % of the image's width; else none. */
export function windowOf(rois: readonly Roi[], info: Pick<ImageInfo, "width" | "height">): Window | null {
  if (rois.length === 0) return null;
  const boxes = rois.map((roi) => bounds(roi));
  const x0 = Math.min(...boxes.map((box) => box[0]));
  const y0 = Math.min(...boxes.map((box) => box[1]));
  const x1 = Math.max(...boxes.map((box) => box[2]));
  const y1 = Math.max(...boxes.map((box) => box[3]));
  const largest = Math.max(x1 - x0, y1 - y0);
  if (largest >= SMALL * info.width) return null;
  const side = Math.min(Math.max(largest * AROUND, 8), info.width, info.height);
  const inside = (middle: number, size: number) => Math.min(Math.max(middle - side / 2, 0), size - side);
  return { x: inside((x0 + x1) / 2, info.width), y: inside((y0 + y1) / 2, info.height), side };
}

export function Inset({
  window,
  picture,
  children,
}: {
  window: Window | null;
  picture: ComponentChildren;
  children: ComponentChildren;
}) {
  if (window === null) return null;
  return (
    <div class="inset">
      <svg
        viewBox={`${window.x} ${window.y} ${window.side} ${window.side}`}
        preserveAspectRatio="xMidYMid meet"
        aria-hidden="true"
      >
        {picture}
        {children}
      </svg>
      <span class="ov tl">enlarged</span>
    </div>
  );
}
