import type { PathGeometry } from "../api/types";
import type { Point } from "./types";

type Segment = readonly [Point, Point];

function side([ax, ay]: Point, [bx, by]: Point, [x, y]: Point): number {
  return Math.sign((bx - ax) * (y - ay) - (by - ay) * (x - ax));
}

function cross([a, b]: Segment, [c, d]: Segment): boolean {
  return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
}

const known = new WeakMap<PathGeometry, boolean>();

/** Whether a closed outline crosses itself: even-odd then leaves holes that its reader may not mean. */
export function crossesItself(path: PathGeometry): boolean {
  const found = known.get(path) ?? hasCrossing(path.points);
  known.set(path, found);
  return found;
}

function hasCrossing(points: readonly Point[]): boolean {
  const segments = points.map((from, index): Segment => [from, points[(index + 1) % points.length] as Point]);
  return segments.some((one, index) => segments.slice(index + 2).some((other) => cross(one, other)));
}

/** An outline without the points that lie within `far` of the line between those kept (Ramer, Douglas and Peucker). */
export function simplified(points: readonly Point[], far: number): Point[] {
  const kept = new Set([0, points.length - 1]);
  const open: [number, number][] = [[0, points.length - 1]];
  for (let span = open.pop(); span; span = open.pop()) {
    const [from, to] = span;
    const [index, away] = farthest(points, from, to);
    if (away <= far) continue;
    kept.add(index);
    open.push([from, index], [index, to]);
  }
  return points.filter((_, index) => kept.has(index));
}

function farthest(points: readonly Point[], from: number, to: number): [number, number] {
  const [ax, ay] = points[from] as Point;
  const [bx, by] = points[to] as Point;
  const long = (bx - ax) ** 2 + (by - ay) ** 2;
  let best: [number, number] = [from, -1];
  for (let k = from + 1; k < to; k += 1) {
    const [x, y] = points[k] as Point;
    const part = long === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / long));
    const away = Math.hypot(x - ax - part * (bx - ax), y - ay - part * (by - ay));
    if (away > best[1]) best = [k, away];
  }
  return best;
}
