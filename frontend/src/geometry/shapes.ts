import type { ShapeGeometry } from "../api/types";
import { boxArea, boxBounds, boxContains } from "./box";
import { ellipseArea, ellipseBounds, ellipseContains } from "./ellipse";
import { maskArea, maskBounds, maskContains } from "./mask";
import { pathBounds, polygonArea, polygonContains } from "./polygon";
import type { Bounds } from "./types";

/** Kept by geometry, which is never changed in place: lists and tags ask again at every step of the hand. */
function kept<T>(found: WeakMap<object, T>, geometry: object, find: () => T): T {
  const known = found.get(geometry) ?? find();
  found.set(geometry, known);
  return known;
}

const areas = new WeakMap<object, number>();
const boxes = new WeakMap<object, Bounds>();

/** Area in square pixels; lines and points have none. */
export function area(roi: ShapeGeometry): number {
  return kept(areas, roi.geometry, () => areaOf(roi));
}

export function bounds(roi: ShapeGeometry): Bounds {
  return kept(boxes, roi.geometry, () => boundsOf(roi));
}

function areaOf(roi: ShapeGeometry): number {
  switch (roi.shape) {
    case "box":
      return boxArea(roi.geometry);
    case "ellipse":
      return ellipseArea(roi.geometry);
    case "polygon":
    case "freehand":
      return polygonArea(roi.geometry);
    case "mask":
      return maskArea(roi.geometry);
    case "line":
    case "point":
      return 0;
  }
}

function boundsOf(roi: ShapeGeometry): Bounds {
  switch (roi.shape) {
    case "box":
      return boxBounds(roi.geometry);
    case "ellipse":
      return ellipseBounds(roi.geometry);
    case "polygon":
    case "freehand":
    case "line":
      return pathBounds(roi.geometry);
    case "mask":
      return maskBounds(roi.geometry);
    case "point":
      return [roi.geometry.x, roi.geometry.y, roi.geometry.x, roi.geometry.y];
  }
}

/** Whether (x, y) is inside; a pixel belongs to a shape when its centre, i + 1/2, is. */
export function contains(roi: ShapeGeometry, x: number, y: number): boolean {
  switch (roi.shape) {
    case "box":
      return boxContains(roi.geometry, x, y);
    case "ellipse":
      return ellipseContains(roi.geometry, x, y);
    case "polygon":
    case "freehand":
      return polygonContains(roi.geometry, x, y);
    case "mask":
      return maskContains(roi.geometry, x, y);
    case "line":
    case "point":
      return false;
  }
}
