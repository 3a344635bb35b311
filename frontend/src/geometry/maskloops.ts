import type { MaskGeometry, PathGeometry } from "../api/types";
import { decodeMask } from "./mask";
import { simplified } from "./outline";
import type { Point } from "./types";

const known = new WeakMap<object, Point[][]>();

/** The outlines of a mask along its pixels' edges: outer ones clockwise, holes the other way; none of an empty mask. */
export function maskLoops(geometry: MaskGeometry): Point[][] {
  const found = known.get(geometry) ?? loopsOf(geometry);
  known.set(geometry, found);
  return found;
}

/** As an SVG path that is filled even-odd. */
export function maskPath(geometry: MaskGeometry): string {
  return maskLoops(geometry)
    .map((loop) => `M${loop.map((point) => point.join(" ")).join("L")}Z`)
    .join("");
}

/** Polygons instead of a mask, the largest first; points nearer than `far` to the outline go, holes are filled. */
export function maskPolygons(geometry: MaskGeometry, far: number): PathGeometry[] {
  return maskLoops(geometry)
    .map((loop) => ({ loop, area: signedArea(loop) }))
    .filter(({ area }) => area > 0)
    .sort((a, b) => b.area - a.area)
    .map(({ loop }) => ({ points: thinned(loop, far) }));
}

function thinned(loop: readonly Point[], far: number): Point[] {
  // Halves of a closed outline, each open, so that its ends are no line of length 0.
  const middle = Math.floor(loop.length / 2);
  const one = simplified(loop.slice(0, middle + 1), far);
  const other = simplified([...loop.slice(middle), loop[0] as Point], far);
  const points = [...one.slice(0, -1), ...other.slice(0, -1)];
  return points.length < 3 ? [...loop] : points;
}

/** Above 0 for a loop that goes clockwise on the screen. */
function signedArea(loop: readonly Point[]): number {
  return loop.reduce((sum, [x, y], at) => {
    const [nextX, nextY] = loop[(at + 1) % loop.length] as Point;
    return sum + (x * nextY - nextX * y) / 2;
  }, 0);
}

/** Unit edges with the inside on their right, by where they begin. */
function edgesOf({ size: [height, width], counts }: MaskGeometry): Map<number, number[]> {
  const mask = decodeMask({ size: [height, width], counts });
  const edges = new Map<number, number[]>();
  const wide = width + 1;
  const isIn = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height && mask[y * width + x] === 1;
  const add = (from: number, to: number): void => {
    edges.set(from, [...(edges.get(from) ?? []), to]);
  };
  for (let at = 0; at < mask.length; at += 1) {
    if (!mask[at]) continue;
    const [x, y] = [at % width, Math.floor(at / width)];
    const corner = y * wide + x;
    if (!isIn(x, y - 1)) add(corner, corner + 1);
    if (!isIn(x + 1, y)) add(corner + 1, corner + 1 + wide);
    if (!isIn(x, y + 1)) add(corner + 1 + wide, corner + wide);
    if (!isIn(x - 1, y)) add(corner + wide, corner);
  }
  return edges;
}

function loopsOf(geometry: MaskGeometry): Point[][] {
  const edges = edgesOf(geometry);
  const wide = geometry.size[1] + 1;
  const loops: Point[][] = [];
  for (const start of edges.keys()) {
    while (edges.get(start)?.length) loops.push(corners(walked(edges, start, wide), wide));
  }
  return loops;
}

/** Along the edges from a point back to it, each taken once; where two go on, the one that turns right. */
function walked(edges: Map<number, number[]>, start: number, wide: number): number[] {
  const passed: number[] = [];
  let [at, by] = [start, 0];
  do {
    passed.push(at);
    const on = edges.get(at) as number[];
    const right = at + turnedRight(by, wide);
    const next = on.includes(right) ? right : (on[0] as number);
    edges.set(
      at,
      on.filter((one) => one !== next),
    );
    by = next - at;
    at = next;
  } while (at !== start);
  return passed;
}

/** The step to the right of a step, in numbers of corners. */
function turnedRight(by: number, wide: number): number {
  if (by === 1) return wide;
  if (by === wide) return -1;
  return by === -1 ? -wide : 1;
}

function corners(passed: readonly number[], wide: number): Point[] {
  const kept = passed.filter((at, index) => {
    const before = passed.at(index - 1) as number;
    const after = passed[(index + 1) % passed.length] as number;
    return at - before !== after - at;
  });
  return kept.map((at) => [at % wide, Math.floor(at / wide)]);
}
