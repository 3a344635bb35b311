import type { EllipseGeometry, ShapeGeometry } from "../api/types";
import { bounds } from "./shapes";

/** Row and column spacing; pixels where it is [1, 1]. */
type Spacing = readonly [number, number];

const PARTS = 720;

/** The length around an ellipse, in the spacing's unit; also where pixels are not square. */
export function ellipsePerimeter({ cx, cy, rx, ry, angle }: EllipseGeometry, [down, across]: Spacing): number {
  const at = (part: number): [number, number] => {
    const turn = (part / PARTS) * 2 * Math.PI;
    const [x, y] = [rx * Math.cos(turn), ry * Math.sin(turn)];
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return [(cx + x * cos - y * sin) * across, (cy + x * sin + y * cos) * down];
  };
  let sum = 0;
  for (let part = 0; part < PARTS; part += 1) {
    const [[x0, y0], [x1, y1]] = [at(part), at(part + 1)];
    sum += Math.hypot(x1 - x0, y1 - y0);
  }
  return sum;
}

/** Width and height of a shape's bounds, in the spacing's unit. */
export function extentOf(shape: ShapeGeometry, [down, across]: Spacing): [number, number] {
  const [x0, y0, x1, y1] = bounds(shape);
  return [(x1 - x0) * across, (y1 - y0) * down];
}
