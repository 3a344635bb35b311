import type { EllipseGeometry } from "../api/types";
import type { Bounds, Extent, Point } from "./types";

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

/** The least radius that can be drawn, in image pixels; the server wants more than nothing. */
const LEAST_RADIUS = 0.25;
const SNAP = Math.PI / 12;
const round = (value: number): number => Math.round(value * 1000) / 1000;

export interface EllipseKeys {
  /** Shift: as wide as it is high on the screen. */
  isRound: boolean;
  /** Alt: the drag began at the centre, not at a corner. */
  fromCentre: boolean;
}

/** The upright ellipse of a drag, cut to the image; null if it is thinner than the least one. */
export function ellipseBetween(
  from: Point,
  to: Point,
  { isRound, fromCentre }: EllipseKeys,
  aspect: number,
  extent: Extent,
): EllipseGeometry | null {
  const away = (value: number): number => (value < 0 ? -1 : 1);
  let [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  if (isRound) {
    const side = Math.max(Math.abs(dx), Math.abs(dy) * aspect);
    [dx, dy] = [side * away(dx), (side / aspect) * away(dy)];
  }
  // As far as the image goes; a circle shrinks as a whole.
  const room = (at: number, by: number, end: number): number =>
    Math.min(1, (fromCentre ? Math.min(at, end - at) : by < 0 ? at : end - at) / Math.abs(by || 1));
  const [fx, fy] = [room(from[0], dx, extent.width), room(from[1], dy, extent.height)];
  dx *= isRound ? Math.min(fx, fy) : fx;
  dy *= isRound ? Math.min(fx, fy) : fy;
  const part = fromCentre ? 1 : 2;
  const [rx, ry] = [round(Math.abs(dx) / part), round(Math.abs(dy) / part)];
  if (rx < LEAST_RADIUS || ry < LEAST_RADIUS) return null;
  const [cx, cy] = fromCentre ? from : [from[0] + dx / 2, from[1] + dy / 2];
  return { cx: round(cx), cy: round(cy), rx, ry, angle: 0 };
}

/** A radius or the turn dragged to a point; the centre stays. The turn's handle lies beyond the upper end. */
export function reshapeEllipse(ellipse: EllipseGeometry, handle: string, to: Point, snaps: boolean): EllipseGeometry {
  const [dx, dy] = [to[0] - ellipse.cx, to[1] - ellipse.cy];
  const [cos, sin] = [Math.cos(ellipse.angle), Math.sin(ellipse.angle)];
  if (handle.startsWith("rx")) return { ...ellipse, rx: Math.max(LEAST_RADIUS, round(Math.abs(dx * cos + dy * sin))) };
  if (handle.startsWith("ry")) return { ...ellipse, ry: Math.max(LEAST_RADIUS, round(Math.abs(dy * cos - dx * sin))) };
  if (handle !== "turn" || (dx === 0 && dy === 0)) return ellipse;
  const turned = Math.atan2(dx, -dy);
  const angle = snaps ? Math.round(turned / SNAP) * SNAP : turned;
  return { ...ellipse, angle: Math.round(angle * 1e5) / 1e5 };
}
