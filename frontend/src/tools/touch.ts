import type { Point } from "../geometry/types";
import { pan, type View, zoomAt } from "../viewer/transform";

type Fingers = readonly [Point, Point];

function middle([[ax, ay], [bx, by]]: Fingers): Point {
  return [(ax + bx) / 2, (ay + by) / 2];
}

function apart([[ax, ay], [bx, by]]: Fingers): number {
  return Math.max(1, Math.hypot(bx - ax, by - ay));
}

/** Two fingers moved: zoomed by how far they are apart, and moved with the point between them. */
export function pinched(view: View, from: Fingers, to: Fingers): View {
  const [[fx, fy], [tx, ty]] = [middle(from), middle(to)];
  return pan(zoomAt(view, apart(to) / apart(from), fx, fy), tx - fx, ty - fy);
}
