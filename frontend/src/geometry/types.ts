/** x0, y0, x1, y1 in pixels of the upright image. */
export type Bounds = [number, number, number, number];

/** x, y in pixels of the upright image. */
export type Point = [number, number];

/** An image's size in pixels. */
export interface Extent {
  width: number;
  height: number;
}
