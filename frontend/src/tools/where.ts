import type { ImageInfo, ShapeGeometry } from "../api/types";
import type { Point } from "../geometry/types";
import type { Board } from "../state/board";
import { type Cell, viewOf } from "../state/cells";
import { pixelAspect, toImage, toScreen } from "../viewer/transform";

/** A drag under way: each kind holds where it began. */
export interface Drag {
  move(x: number, y: number, event: PointerEvent): void;
  end(cancelled: boolean): void;
}

/** The viewport under the hand. */
export interface Where {
  board: Board;
  cell: Cell;
  image: ImageInfo;
  /** The shape being drawn, shown while it is drawn. */
  draft: { value: ShapeGeometry | null };
}

/** Fewer screen pixels than this are a click, not a drag. */
export const LEAST_DRAG_PX = 3;
const DOUBLE_PX = 5;
const DOUBLE_MS = 400;

export function imagePoint({ cell, image }: Where, x: number, y: number): Point {
  return toImage(viewOf(cell, image), pixelAspect(image.spacing_mm), x, y);
}

export function screenPoint({ cell, image }: Where, [x, y]: Point): Point {
  return toScreen(viewOf(cell, image), pixelAspect(image.spacing_mm), x, y);
}

let last = { x: 0, y: 0, at: Number.NEGATIVE_INFINITY };

/** Whether a press is the second of a double one; pointer events do not count their clicks. */
export function isDouble({ timeStamp }: PointerEvent, x: number, y: number): boolean {
  const found = timeStamp - last.at < DOUBLE_MS && Math.hypot(x - last.x, y - last.y) < DOUBLE_PX;
  last = { x, y, at: found ? Number.NEGATIVE_INFINITY : timeStamp };
  return found;
}
