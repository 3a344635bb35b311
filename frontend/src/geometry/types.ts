/** x0, y0, x1, y1 in pixels of the upright image. */
export type Bounds = [number, number, number, number];
