import type { EllipseGeometry } from "../api/types";
import type { Bounds } from "./types";

export function ellipseArea({ rx, ry }: EllipseGeometry): number {
  return Math.PI * rx * ry;
}

export function ellipseBounds({ cx, cy, rx, ry, angle }: EllipseGeometry): Bounds {
  const halfX = Math.hypot(rx * Math.cos(angle), ry * Math.sin(angle));
  const halfY = Math.hypot(rx * Math.sin(angle), ry * Math.cos(angle));
  return [cx - halfX, cy - halfY, cx + halfX, cy + halfY];
}

/** Strictly inside: a point on the edge does not belong. */
export function ellipseContains({ cx, cy, rx, ry, angle }: EllipseGeometry, x: number, y: number): boolean {
  const dx = x - cx;
  const dy = y - cy;
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  return (dx * cos + dy * sin) ** 2 / rx ** 2 + (-dx * sin + dy * cos) ** 2 / ry ** 2 < 1;
}
