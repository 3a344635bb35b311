import { onImage } from "../geometry/edit";
import { polygonArea } from "../geometry/polygon";
import { drawShape } from "../state/act";
import type { Board } from "../state/board";
import type { Trace } from "../state/cells";
import { LEAST_AREA } from "./drawing";
import { type Drag, imagePoint, isDouble, screenPoint, type Where } from "./where";

/** A press this near to the first corner closes the polygon, in CSS pixels. */
export const CLOSE_PX = 9;

/** The polygon under the hand, if it is on what this viewport shows. */
export function traceHere({ board, cell, image }: Where): Trace | null {
  const trace = board.trace.peek();
  return trace?.image === image.number && trace.frame === cell.frame.peek() ? trace : null;
}

/** A press puts a corner, which goes with the pointer until it is let go; on the first corner or twice it closes. */
export function pressTrace(where: Where, event: PointerEvent, x: number, y: number): Drag | null {
  const { board, cell, image } = where;
  const isSecond = isDouble(event, x, y);
  let trace = traceHere(where);
  if (trace && (isSecond || isOnFirst(where, trace, x, y)) && closeTrace(board)) return null;
  if (!trace) {
    settleTrace(board);
    board.selected.value = null;
    trace = { image: image.number, frame: cell.frame.peek(), points: [], next: null };
  }
  const before = trace;
  const put = (toX: number, toY: number): void => {
    const corner = onImage(imagePoint(where, toX, toY), image);
    board.trace.value = { ...before, points: [...before.points, corner], next: null };
  };
  put(x, y);
  return {
    move: put,
    end(cancelled) {
      if (cancelled) board.trace.value = before.points.length ? before : null;
    },
  };
}

function isOnFirst(where: Where, { points }: Trace, x: number, y: number): boolean {
  const first = points[0];
  if (!first || points.length < 3) return false;
  const [atX, atY] = screenPoint(where, first);
  return Math.hypot(x - atX, y - atY) <= CLOSE_PX;
}

/** The line from the last corner follows a pointer that is not pressed. */
export function hoverTrace(where: Where, x: number, y: number): void {
  const trace = traceHere(where);
  if (trace && where.board.tool.peek() === "polygon")
    where.board.trace.value = { ...trace, next: onImage(imagePoint(where, x, y), where.image) };
}

/** Makes a region of the polygon; false, and the polygon stays open, while it encloses nothing. */
export function closeTrace(board: Board): boolean {
  const trace = board.trace.peek();
  const image = board.image(trace?.image ?? null);
  if (!trace || !image) return false;
  const points = [...trace.points];
  if (points.length < 3 || polygonArea({ points }) < LEAST_AREA) return false;
  board.trace.value = null;
  drawShape(board, image, trace.frame, { shape: "polygon", geometry: { points } });
  return true;
}

/** A polygon begun elsewhere: closed if it can be, so that nothing drawn is lost; undo takes it back. */
function settleTrace(board: Board): void {
  if (!closeTrace(board)) board.trace.value = null;
}

export function dropCorner(board: Board): boolean {
  const trace = board.trace.peek();
  if (!trace) return false;
  const points = trace.points.slice(0, -1);
  board.trace.value = points.length ? { ...trace, points } : null;
  return true;
}

export function cancelTrace(board: Board): boolean {
  const isOpen = board.trace.peek() !== null;
  board.trace.value = null;
  return isOpen;
}
