import type { Roi, ShapeGeometry } from "../api/types";
import { cornerOf, moved, reshaped, withCorner, withoutCorner } from "../geometry/edit";
import { nearestEdge } from "../geometry/handles";
import type { Point } from "../geometry/types";
import { type Drag, imagePoint, isDouble, LEAST_DRAG_PX, type Where } from "./where";

/** A drag that says at its end whether anything was changed. */
interface Change extends Drag {
  end(cancelled: boolean): boolean;
}

interface Taken {
  /** What is changed, and by which handle; without one the whole shape moves. */
  from: ShapeGeometry;
  handle: string | null;
}

/** A shape taken hold of: moved, or one handle of it; Alt or a double press takes a corner out, Alt on an edge adds one. */
export function changing(
  where: Where,
  id: string,
  handle: string | null,
  event: PointerEvent,
  at: Point,
): Change | null {
  const { board } = where;
  const isSecond = isDouble(event, at[0], at[1]);
  board.selected.value = id;
  const roi = board.rois.peek().find((one) => one.id === id);
  if (!roi || roi.shape === "mask" || !board.canDraw) return null;
  const put = (shape: ShapeGeometry): void => board.changeRoi(id, () => ({ ...roi, ...shape }), `drag ${id}`);
  board.store.seal();
  const corner = handle === null ? null : cornerOf(handle, "v");
  if (corner !== null && (event.altKey || isSecond)) {
    const without = withoutCorner(roi, corner);
    if (without !== roi) put(without);
    board.store.seal();
    return null;
  }
  const start = imagePoint(where, ...at);
  const taken = take(where, roi, handle, start, event.altKey);
  if (taken.from !== roi && event.altKey) put(taken.from);
  return dragging(where, taken, at, start, put);
}

function take(where: Where, roi: Roi, handle: string | null, start: Point, isAlt: boolean): Taken {
  const middle = handle === null ? null : cornerOf(handle, "i");
  if (middle !== null) return { from: withCorner(roi, middle, start, where.image), handle: `v${middle + 1}` };
  if (isAlt && handle === null && roi.shape === "polygon") {
    const { edge } = nearestEdge(roi.geometry, start);
    return { from: withCorner(roi, edge, start, where.image), handle: `v${edge + 1}` };
  }
  return { from: roi, handle };
}

function dragging(
  where: Where,
  { from, handle }: Taken,
  [x, y]: Point,
  start: Point,
  put: (shape: ShapeGeometry) => void,
): Change {
  const { board, image } = where;
  let isMoved = false;
  return {
    move(toX, toY, { shiftKey }) {
      isMoved ||= Math.hypot(toX - x, toY - y) >= LEAST_DRAG_PX;
      if (!isMoved) return;
      const to = imagePoint(where, toX, toY);
      put(
        handle ? reshaped(from, handle, to, image, shiftKey) : moved(from, [to[0] - start[0], to[1] - start[1]], image),
      );
    },
    end(cancelled) {
      board.store.seal();
      if (cancelled && isMoved) board.store.takeBack();
      return isMoved;
    },
  };
}
