import type { ShapeGeometry } from "../api/types";
import { boxBetween } from "../geometry/box";
import { onImage } from "../geometry/edit";
import { ellipseBetween } from "../geometry/ellipse";
import { simplified } from "../geometry/outline";
import { polygonArea } from "../geometry/polygon";
import type { Point } from "../geometry/types";
import { drawShape } from "../state/act";
import { viewOf } from "../state/cells";
import { pixelAspect } from "../viewer/transform";
import { type Drag, imagePoint, LEAST_DRAG_PX, type Where } from "./where";

type Sketch = (to: Point, event: PointerEvent) => ShapeGeometry | null;

/** An outline loses points that lie within this many screen pixels of it. */
const FREEHAND_PX = 0.5;
/** The least area that is a region, in square image pixels. */
export const LEAST_AREA = 0.25;

/** A drag that ends in a shape; a click with a tool for drags only deselects. */
function sketching(where: Where, x: number, y: number, sketch: Sketch, finish = (shape: ShapeGeometry) => shape): Drag {
  const { board, cell, image, draft } = where;
  let isDrag = false;
  return {
    move(toX, toY, event) {
      isDrag ||= Math.hypot(toX - x, toY - y) >= LEAST_DRAG_PX;
      if (isDrag) draft.value = sketch(imagePoint(where, toX, toY), event);
    },
    end(cancelled) {
      const shape = draft.value;
      draft.value = null;
      if (cancelled) return;
      if (shape && !isNothing(shape)) drawShape(board, image, cell.frame.peek(), finish(shape));
      else if (!isDrag) board.selected.value = null;
    },
  };
}

/** An outline that encloses no area is no region. */
function isNothing(shape: ShapeGeometry): boolean {
  return shape.shape === "freehand" && (shape.geometry.points.length < 3 || polygonArea(shape.geometry) < LEAST_AREA);
}

export function drawingBox(where: Where, x: number, y: number): Drag {
  const { width, height } = where.image;
  const start = imagePoint(where, x, y);
  return sketching(where, x, y, (to) => {
    const geometry = boxBetween(start, to, width, height);
    return geometry && { shape: "box", geometry };
  });
}

export function drawingEllipse(where: Where, x: number, y: number): Drag {
  const { image } = where;
  const start = onImage(imagePoint(where, x, y), image);
  return sketching(where, x, y, (to, { shiftKey, altKey }) => {
    const keys = { isRound: shiftKey, fromCentre: altKey };
    const geometry = ellipseBetween(start, to, keys, pixelAspect(image.spacing_mm), image);
    return geometry && { shape: "ellipse", geometry };
  });
}

export function drawingLine(where: Where, x: number, y: number): Drag {
  const start = onImage(imagePoint(where, x, y), where.image);
  return sketching(where, x, y, (to) => ({ shape: "line", geometry: { points: [start, onImage(to, where.image)] } }));
}

export function drawingFreehand(where: Where, x: number, y: number): Drag {
  const points = [onImage(imagePoint(where, x, y), where.image)];
  const sketch: Sketch = (to) => {
    points.push(onImage(to, where.image));
    return { shape: "freehand", geometry: { points: [...points] } };
  };
  return sketching(where, x, y, sketch, (shape) => {
    if (shape.shape !== "freehand") return shape;
    const kept = simplified(shape.geometry.points, FREEHAND_PX / viewOf(where.cell, where.image).scale);
    return kept.length < 3 ? shape : { shape: "freehand", geometry: { points: kept } };
  });
}

/** A point is put by a press and goes with the pointer until it is let go. */
export function drawingPoint(where: Where, x: number, y: number): Drag {
  const { board, cell, image, draft } = where;
  const put = (toX: number, toY: number): void => {
    const [px, py] = onImage(imagePoint(where, toX, toY), image);
    draft.value = { shape: "point", geometry: { x: px, y: py } };
  };
  put(x, y);
  return {
    move: put,
    end(cancelled) {
      const shape = draft.value;
      draft.value = null;
      if (shape && !cancelled) drawShape(board, image, cell.frame.peek(), shape);
    },
  };
}
