import type { EllipseGeometry, PathGeometry, ShapeGeometry } from "../api/types";
import { type Handle, resizeBox } from "./box";
import { reshapeEllipse } from "./ellipse";
import { bounds } from "./shapes";
import type { Extent, Point } from "./types";

// A thousandth of a pixel is finer than any pointer and keeps the JSON short.
const round = (value: number): number => Math.round(value * 1000) / 1000;
const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/** A point as it is stored: on the image, to a thousandth of a pixel. */
export function onImage([x, y]: Point, { width, height }: Extent): Point {
  return [round(clamp(x, 0, width)), round(clamp(y, 0, height))];
}

function movedPath({ points }: PathGeometry, dx: number, dy: number): PathGeometry {
  return { points: points.map(([x, y]) => [round(x + dx), round(y + dy)]) };
}

/** Moved by (dx, dy) and stopped at the image's edge, its form unchanged; a mask lies on its pixels and stays. */
export function moved(roi: ShapeGeometry, by: Point, extent: Extent): ShapeGeometry {
  const [x0, y0, x1, y1] = bounds(roi);
  // What lies over the edge already (an ellipse may) can be moved in, but no farther out.
  const dx = clamp(by[0], Math.min(0, -x0), Math.max(0, extent.width - x1));
  const dy = clamp(by[1], Math.min(0, -y0), Math.max(0, extent.height - y1));
  switch (roi.shape) {
    case "box": {
      const at = roi.geometry;
      const geometry = { x0: round(at.x0 + dx), y0: round(at.y0 + dy), x1: round(at.x1 + dx), y1: round(at.y1 + dy) };
      return { shape: "box", geometry };
    }
    case "ellipse": {
      const at = roi.geometry;
      return { shape: "ellipse", geometry: { ...at, cx: round(at.cx + dx), cy: round(at.cy + dy) } };
    }
    case "polygon":
    case "freehand":
    case "line":
      return { shape: roi.shape, geometry: movedPath(roi.geometry, dx, dy) };
    case "point":
      return { shape: "point", geometry: { x: round(roi.geometry.x + dx), y: round(roi.geometry.y + dy) } };
    case "mask":
      return roi;
  }
}

/** The corner that a handle `v3` or `i3` is about; a name of anything else gives null. */
export function cornerOf(handle: string, kind: "v" | "i"): number | null {
  return handle.startsWith(kind) ? Number(handle.slice(1)) : null;
}

/** One handle dragged to a point; `snaps` keeps an ellipse's turn to steps. */
export function reshaped(roi: ShapeGeometry, handle: string, to: Point, extent: Extent, snaps: boolean): ShapeGeometry {
  switch (roi.shape) {
    case "box": {
      const geometry = resizeBox(roi.geometry, handle as Handle, to[0], to[1], extent.width, extent.height);
      return { shape: "box", geometry };
    }
    case "ellipse":
      return { shape: "ellipse", geometry: reshapeEllipse(roi.geometry, handle, to, snaps) as EllipseGeometry };
    case "polygon":
    case "freehand":
    case "line": {
      const corner = cornerOf(handle, "v");
      const points = roi.geometry.points.map((point, at) => (at === corner ? onImage(to, extent) : point));
      return { shape: roi.shape, geometry: { points } };
    }
    case "point":
    case "mask":
      return roi;
  }
}

/** A further corner after corner `at`, on the image. */
export function withCorner(roi: ShapeGeometry, at: number, point: Point, extent: Extent): ShapeGeometry {
  if (roi.shape !== "polygon" && roi.shape !== "freehand" && roi.shape !== "line") return roi;
  const points = [...roi.geometry.points];
  points.splice(at + 1, 0, onImage(point, extent));
  return { shape: roi.shape, geometry: { points } };
}

/** Without one corner; the same shape if too few would be left. */
export function withoutCorner(roi: ShapeGeometry, at: number): ShapeGeometry {
  if (roi.shape !== "polygon" && roi.shape !== "freehand" && roi.shape !== "line") return roi;
  const least = roi.shape === "line" ? 2 : 3;
  if (roi.geometry.points.length <= least) return roi;
  return { shape: roi.shape, geometry: { points: roi.geometry.points.filter((_, index) => index !== at) } };
}
