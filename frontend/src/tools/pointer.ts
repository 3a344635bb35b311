import { area } from "../geometry/shapes";
import type { Board } from "../state/board";
import { changing } from "./changing";
import { drawingBox, drawingEllipse, drawingFreehand, drawingLine, drawingPoint } from "./drawing";
import { focusRoi } from "./focus";
import { isBrush, painting } from "./painting";
import { pressTrace, traceHere } from "./tracing";
import { panning, windowing, zooming } from "./viewdrags";
import type { Drag, Where } from "./where";

export function startDrag(where: Where, event: PointerEvent, x: number, y: number): Drag | null {
  if (event.button === 1) return panning(where, x, y);
  if (event.button === 2) return zooming(where, x, y);
  if (event.button !== 0) return null;
  const tool = where.board.tool.peek();
  if (!where.board.canDraw && tool !== "window") return panning(where, x, y);
  if (tool === "polygon" && traceHere(where)) return pressTrace(where, event, x, y);
  if (isBrush(where.board)) return draw(where, event, x, y);
  return takeHold(where, event, x, y) ?? draw(where, event, x, y);
}

/**
 * A region or a handle under the pointer. With a tool that draws, a new shape may begin inside another: only what is
 * selected already is taken hold of, and by a tool that goes by clicks only its handles.
 */
function takeHold(where: Where, event: PointerEvent, x: number, y: number): Drag | null {
  const { board } = where;
  const tool = board.tool.peek();
  const id = roiUnder(board, event);
  const handle = handleAt(event.target);
  if (!id || (tool === "window" && !handle)) return null;
  const isSelected = board.selected.peek() === id;
  const byClicks = tool === "polygon" || tool === "point";
  if (tool !== "select" && !handle && (!isSelected || byClicks)) return null;
  const drag = changing(where, id, handle, event, [x, y]);
  if (!drag || !isSelected || handle || tool !== "select") return drag;
  return {
    move: drag.move,
    end(cancelled) {
      if (!drag.end(cancelled) && !cancelled) nextUnder(board, event, id);
    },
  };
}

function draw(where: Where, event: PointerEvent, x: number, y: number): Drag | null {
  switch (where.board.tool.peek()) {
    case "select":
      where.board.selected.value = null;
      return panning(where, x, y);
    case "window":
      return windowing(where, x, y);
    case "box":
      return drawingBox(where, x, y);
    case "ellipse":
      return drawingEllipse(where, x, y);
    case "polygon":
      return pressTrace(where, event, x, y);
    case "freehand":
      return drawingFreehand(where, x, y);
    case "brush":
    case "eraser":
      return painting(where, event, x, y);
    case "line":
      return drawingLine(where, x, y);
    case "point":
      return drawingPoint(where, x, y);
  }
}

function handleAt(target: EventTarget | null): string | null {
  return (target instanceof Element ? target.closest<SVGElement>("[data-handle]")?.dataset.handle : null) ?? null;
}

/** The region an element belongs to, or the one whose handles it is. */
function roiOf(element: Element): string | undefined {
  const { roi, grip } = element.closest<SVGElement>("[data-roi], [data-grip]")?.dataset ?? {};
  return roi ?? grip;
}

/** The regions under the pointer, the smallest first, so that none hides another. */
function roisUnder(board: Board, event: MouseEvent): string[] {
  const ids = new Set(document.elementsFromPoint(event.clientX, event.clientY).map(roiOf));
  const rois = board.rois.peek().filter((roi) => ids.has(roi.id));
  return rois.sort((a, b) => area(a) - area(b)).map((roi) => roi.id);
}

/** The region that a press is for: the selected one if it is there, else the smallest. */
export function roiUnder(board: Board, event: MouseEvent): string | undefined {
  const under = roisUnder(board, event);
  const selected = board.selected.peek();
  return selected && under.includes(selected) ? selected : under[0];
}

/** A click on what is selected goes on to the next region there; a drag moves it. */
function nextUnder(board: Board, event: MouseEvent, id: string): void {
  const under = roisUnder(board, event);
  const next = under[(under.indexOf(id) + 1) % under.length] ?? id;
  board.selected.value = next;
  focusRoi(next);
}
