// Shapes as the server has them (INTERFACE.md section 5), in pixels of the upright image.

export type Shape = "box" | "ellipse" | "polygon" | "freehand" | "mask" | "point" | "line";

export interface BoxGeometry {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}
export interface EllipseGeometry {
  cx: number;
  cy: number;
  rx: number;
  ry: number;
  angle: number;
}
export interface PathGeometry {
  points: [number, number][];
}
export interface PointGeometry {
  x: number;
  y: number;
}
export interface MaskGeometry {
  size: [number, number];
  counts: string | number[];
}

export type ShapeGeometry =
  | { shape: "box"; geometry: BoxGeometry }
  | { shape: "ellipse"; geometry: EllipseGeometry }
  | { shape: "polygon" | "freehand" | "line"; geometry: PathGeometry }
  | { shape: "point"; geometry: PointGeometry }
  | { shape: "mask"; geometry: MaskGeometry };
