import type { PathGeometry } from "../api/types";
import type { Bounds } from "./types";

type Edge = [number, number, number, number];

/** Edges downwards (y0 < y1), level ones left out: they bound no area between two heights. */
function fallingEdges(points: readonly [number, number][]): Edge[] {
  const edges: Edge[] = [];
  points.forEach(([ax, ay], i) => {
    const [bx, by] = points[(i + 1) % points.length] as [number, number];
    if (ay !== by) edges.push(ay < by ? [ax, ay, bx, by] : [bx, by, ax, ay]);
  });
  return edges;
}

function crossingHeight(p: Edge, q: Edge): number | null {
  const [px, py, qx, qy] = [p[2] - p[0], p[3] - p[1], q[2] - q[0], q[3] - q[1]];
  const cross = px * qy - py * qx;
  if (cross === 0) return null;
  const t = ((q[0] - p[0]) * qy - (q[1] - p[1]) * qx) / cross;
  const u = ((q[0] - p[0]) * py - (q[1] - p[1]) * px) / cross;
  return t > 0 && t < 1 && u > 0 && u < 1 ? p[1] + t * py : null;
}

/**
 * Area inside by even-odd, also of rings that cross themselves.
 *
 * Between two neighbouring heights of corners and crossings no edges cross, so the inside is a row of trapezoids, each as
 * wide as at half its height.
 */
export function polygonArea({ points }: PathGeometry): number {
  const edges = fallingEdges(points);
  const heights = edges.flatMap((edge) => [edge[1], edge[3]]);
  edges.forEach((edge, i) => {
    for (const other of edges.slice(i + 1)) {
      const height = crossingHeight(edge, other);
      if (height !== null) heights.push(height);
    }
  });
  const levels = [...new Set(heights)].sort((a, b) => a - b);
  let sum = 0;
  levels.slice(1).forEach((below, i) => {
    const above = levels[i] as number;
    const middle = (above + below) / 2;
    const xs = edges
      .filter(([, y0, , y1]) => y0 < middle && middle < y1)
      .map(([x0, y0, x1, y1]) => x0 + ((x1 - x0) * (middle - y0)) / (y1 - y0))
      .sort((a, b) => a - b);
    for (let k = 0; k + 1 < xs.length; k += 2) sum += ((xs[k + 1] as number) - (xs[k] as number)) * (below - above);
  });
  return sum;
}

export function pathBounds({ points }: PathGeometry): Bounds {
  const xs = points.map((point) => point[0]);
  const ys = points.map((point) => point[1]);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/**
 * Even-odd; left and top edges belong, right and bottom do not.
 *
 * A ray to the right from (x, y): a crossing at x itself counts as not to the right, so that a point on a left edge sees
 * the right edge only and is inside. An edge holds its upper end but not its lower one.
 */
export function polygonContains({ points }: PathGeometry, x: number, y: number): boolean {
  let inside = false;
  for (let i = 0; i < points.length; i += 1) {
    const [ax, ay] = points[i] as [number, number];
    const [bx, by] = points[(i + 1) % points.length] as [number, number];
    if (ay <= y === by <= y) continue;
    // Downwards always, so that a shared edge gives both neighbours the same rounding.
    const [x0, y0, x1, y1] = ay < by ? [ax, ay, bx, by] : [bx, by, ax, ay];
    const side = (x - x0) * (y1 - y0) - (x1 - x0) * (y - y0);
    if (side < 0) inside = !inside;
  }
  return inside;
}
