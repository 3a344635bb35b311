import type { EllipseGeometry, PathGeometry, ShapeGeometry } from "../api/types";
import { HANDLES, handlePoint } from "./box";
import type { Point } from "./types";

/** What a selected shape is taken hold of by; `insert` makes a corner, `turn` turns. */
export interface Grip {
  id: string;
  at: Point;
  kind: "resize" | "corner" | "insert" | "turn";
}

/** Above this many corners (a freehand outline) single ones are no use to a hand. */
const MOST_CORNERS = 80;
/** Edges shorter than this on the screen have no handle in their middle, in CSS pixels. */
const LEAST_EDGE = 32;
/** How far the handle that turns lies from the edge, in CSS pixels. */
const TURN_REACH = 22;

function ellipseGrips({ cx, cy, rx, ry, angle }: EllipseGeometry, scale: number): Grip[] {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const on = (along: number, across: number): Point => [
    cx + along * cos - across * sin,
    cy + along * sin + across * cos,
  ];
  return [
    { id: "rx+", at: on(rx, 0), kind: "resize" },
    { id: "rx-", at: on(-rx, 0), kind: "resize" },
    { id: "ry+", at: on(0, ry), kind: "resize" },
    { id: "ry-", at: on(0, -ry), kind: "resize" },
    { id: "turn", at: on(0, -ry - TURN_REACH / scale), kind: "turn" },
  ];
}

function pathGrips({ points }: PathGeometry, isClosed: boolean, scale: number): Grip[] {
  if (points.length > MOST_CORNERS) return [];
  const corners = points.map((at, index): Grip => ({ id: `v${index}`, at, kind: "corner" }));
  const middles = points.flatMap((from, index): Grip[] => {
    const to = points[index + 1] ?? (isClosed ? points[0] : undefined);
    if (!to || Math.hypot(to[0] - from[0], to[1] - from[1]) * scale < LEAST_EDGE) return [];
    return [{ id: `i${index}`, at: [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2], kind: "insert" }];
  });
  return isClosed ? [...middles, ...corners] : corners;
}

/** Handles of a shape in image pixels, `scale` screen pixels each; none for a point or a mask. */
export function gripsOf(roi: ShapeGeometry, scale: number): Grip[] {
  switch (roi.shape) {
    case "box":
      return HANDLES.map((id) => ({ id, at: handlePoint(roi.geometry, id), kind: "resize" }));
    case "ellipse":
      return ellipseGrips(roi.geometry, scale);
    case "polygon":
    case "freehand":
      return pathGrips(roi.geometry, true, scale);
    case "line":
      return pathGrips(roi.geometry, false, scale);
    case "point":
    case "mask":
      return [];
  }
}

/** The edge of a closed path nearest to a point, as the number of its first corner, and how far it is. */
export function nearestEdge({ points }: PathGeometry, [x, y]: Point): { edge: number; far: number } {
  let best = { edge: 0, far: Number.POSITIVE_INFINITY };
  points.forEach(([ax, ay], edge) => {
    const [bx, by] = points[(edge + 1) % points.length] as Point;
    const long = (bx - ax) ** 2 + (by - ay) ** 2;
    const part = long === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / long));
    const far = Math.hypot(x - ax - part * (bx - ax), y - ay - part * (by - ay));
    if (far < best.far) best = { edge, far };
  });
  return best;
}
