import type { BoxGeometry, ImageInfo } from "../api/types";
import { boxBetween, type Handle, moveBox, resizeBox } from "../geometry/box";
import { drawBox } from "../state/act";
import { type Cell, viewOf, windowOf } from "../state/cells";
import { changeRoi } from "../state/edits";
import type { Session } from "../state/session";
import { dragged } from "../viewer/lut";
import { pan, pixelAspect, toImage, zoomAt } from "../viewer/transform";

/** A drag under way: each kind holds where it began. */
export interface Drag {
  move(x: number, y: number, event: PointerEvent): void;
  end(cancelled: boolean): void;
}

export interface Where {
  session: Session;
  cell: Cell;
  image: ImageInfo;
  /** The box being drawn, shown while it is drawn. */
  draft: { value: BoxGeometry | null };
}

/** Fewer screen pixels than this are a click, not a box. */
const LEAST_DRAG_PX = 3;

export function startDrag(where: Where, event: PointerEvent, x: number, y: number): Drag | null {
  if (event.button === 1) return panning(where, x, y);
  if (event.button === 2) return zooming(where, x, y);
  if (event.button !== 0) return null;
  const target = event.target instanceof Element ? event.target : null;
  const id = roiAt(target);
  const handle = target?.closest<SVGElement>("[data-handle]")?.dataset.handle as Handle | undefined;
  const tool = where.session.tool.peek();
  if (id && (tool !== "window" || handle)) {
    const isSelected = where.session.selected.peek() === id;
    // With the box tool a new box may begin inside another: only what is selected already is taken hold of.
    if (tool === "select" || isSelected || handle) return changing(where, id, handle ?? null, x, y);
  }
  switch (tool) {
    case "box":
      return drawing(where, x, y);
    case "select":
      where.session.selected.value = null;
      return null;
    case "window":
      return windowing(where, x, y);
  }
}

/** The region under the pointer, or the one whose handles it is on. */
export function roiAt(target: Element | null): string | undefined {
  const { roi, grip } = target?.closest<SVGElement>("[data-roi], [data-grip]")?.dataset ?? {};
  return roi ?? grip;
}

function imagePoint({ cell, image }: Where, x: number, y: number): [number, number] {
  return toImage(viewOf(cell, image), pixelAspect(image.spacing_mm), x, y);
}

function panning({ cell, image }: Where, x: number, y: number): Drag {
  let [lastX, lastY] = [x, y];
  return {
    move(toX, toY) {
      cell.view.value = pan(viewOf(cell, image), toX - lastX, toY - lastY);
      [lastX, lastY] = [toX, toY];
    },
    end: () => undefined,
  };
}

function zooming({ cell, image }: Where, x: number, y: number): Drag {
  const from = viewOf(cell, image);
  return {
    move(_toX, toY) {
      cell.view.value = zoomAt(from, 1.01 ** (y - toY), x, y);
    },
    end: () => undefined,
  };
}

function windowing({ cell }: Where, x: number, y: number): Drag {
  const from = windowOf(cell);
  const range = cell.range.peek();
  return {
    move(toX, toY) {
      cell.dragging.value = true;
      cell.windowing.value = dragged(from, toX - x, toY - y, range);
    },
    end() {
      cell.dragging.value = false;
    },
  };
}

function drawing(where: Where, x: number, y: number): Drag {
  const { session, cell, image, draft } = where;
  const start = imagePoint(where, x, y);
  let isBox = false;
  return {
    move(toX, toY) {
      isBox ||= Math.hypot(toX - x, toY - y) >= LEAST_DRAG_PX;
      if (isBox) draft.value = boxBetween(start, imagePoint(where, toX, toY), image.width, image.height);
    },
    end(cancelled) {
      const box = draft.value;
      draft.value = null;
      if (cancelled) return;
      if (box) drawBox(session, image, cell.frame.peek(), box);
      else if (!isBox) session.selected.value = null;
    },
  };
}

function changing(where: Where, id: string, handle: Handle | null, x: number, y: number): Drag | null {
  const { session, image } = where;
  session.selected.value = id;
  const roi = session.rois.peek().find((one) => one.id === id);
  if (roi?.shape !== "box") return null;
  const from = roi.geometry;
  const start = imagePoint(where, x, y);
  let isMoved = false;
  const put = (geometry: BoxGeometry): void =>
    session.store.change((content) => changeRoi(content, id, () => ({ ...roi, geometry })), `drag ${id}`);
  session.store.seal();
  return {
    move(toX, toY) {
      isMoved ||= Math.hypot(toX - x, toY - y) >= LEAST_DRAG_PX;
      if (!isMoved) return;
      const [ix, iy] = imagePoint(where, toX, toY);
      put(
        handle
          ? resizeBox(from, handle, ix, iy, image.width, image.height)
          : moveBox(from, ix - start[0], iy - start[1], image.width, image.height),
      );
    },
    end(cancelled) {
      session.store.seal();
      if (cancelled && isMoved) session.store.takeBack();
    },
  };
}
