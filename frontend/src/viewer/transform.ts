/** How an image is turned on the screen: mirrored left to right first, then turned clockwise by quarters. */
export interface Orientation {
  turn: 0 | 1 | 2 | 3;
  flip: boolean;
}

/** Where an image lies in a viewport: `x`, `y` is the place of its corner (0, 0) in CSS pixels. */
export interface View extends Orientation {
  scale: number;
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

export type Turning = "horizontal" | "vertical" | "right" | "left";

export const LEAST_SCALE = 0.02;
export const MOST_SCALE = 64;
export const UPRIGHT: Orientation = { turn: 0, flip: false };

/** Row spacing over column spacing, where the file gives it: anisotropic pixels are shown with their aspect. */
export function pixelAspect(spacing: readonly [number, number] | null): number {
  if (!spacing || !(spacing[0] > 0) || !(spacing[1] > 0)) return 1;
  return spacing[0] / spacing[1];
}

// Columns of the quarter turns, clockwise on a screen whose y goes down.
const TURNS = [
  [1, 0, 0, 1],
  [0, 1, -1, 0],
  [-1, 0, 0, -1],
  [0, -1, 1, 0],
] as const;

/** The one transform from image to screen, as canvas and SVG write it: x' = ax + cy + e, y' = bx + dy + f. */
export function matrixOf(view: View, aspect: number): [number, number, number, number, number, number] {
  const [a, b, c, d] = TURNS[view.turn];
  const across = view.flip ? -view.scale : view.scale;
  const down = view.scale * aspect;
  return [a * across, b * across, c * down, d * down, view.x, view.y];
}

export function toScreen(view: View, aspect: number, x: number, y: number): [number, number] {
  const [a, b, c, d, e, f] = matrixOf(view, aspect);
  return [a * x + c * y + e, b * x + d * y + f];
}

export function toImage(view: View, aspect: number, x: number, y: number): [number, number] {
  const [a, b, c, d, e, f] = matrixOf(view, aspect);
  const [dx, dy] = [x - e, y - f];
  // Quarter turns: each image axis lies along one of the screen's, so that one division each is exact.
  return a !== 0 ? [dx / a, dy / d] : [dy / b, dx / c];
}

/** As large as the box can show it, centred. */
export function fitted(image: Size, aspect: number, box: Size, { turn, flip }: Orientation = UPRIGHT): View {
  if (box.width <= 0 || box.height <= 0) return { scale: 1, x: 0, y: 0, turn, flip };
  const lies = turn % 2 === 1;
  const [across, down] = lies ? [image.height * aspect, image.width] : [image.width, image.height * aspect];
  const scale = Math.min(box.width / across, box.height / down);
  return centredOn({ scale, x: 0, y: 0, turn, flip }, aspect, [image.width / 2, image.height / 2], box);
}

/** The same view moved so that a point of the image lies in the middle of the box. */
export function centredOn(view: View, aspect: number, point: readonly [number, number], box: Size): View {
  const [x, y] = toScreen({ ...view, x: 0, y: 0 }, aspect, point[0], point[1]);
  return { ...view, x: box.width / 2 - x, y: box.height / 2 - y };
}

/** The point of the image in the middle of the box. */
export function centreOf(view: View, aspect: number, box: Size): [number, number] {
  return toImage(view, aspect, box.width / 2, box.height / 2);
}

/** Zoomed by `factor` with the point (x, y) of the screen kept where it is. */
export function zoomAt(view: View, factor: number, x: number, y: number): View {
  const scale = Math.min(MOST_SCALE, Math.max(LEAST_SCALE, view.scale * factor));
  const real = scale / view.scale;
  return { ...view, scale, x: x - (x - view.x) * real, y: y - (y - view.y) * real };
}

export function pan(view: View, dx: number, dy: number): View {
  return { ...view, x: view.x + dx, y: view.y + dy };
}

/** The same part of the image in a cell of another size: centre kept, scale by the cell's. */
export function resized(view: View, from: Size, to: Size): View {
  if (from.width <= 0 || from.height <= 0) return view;
  const factor = Math.min(to.width / from.width, to.height / from.height);
  return {
    ...view,
    scale: view.scale * factor,
    x: to.width / 2 - (from.width / 2 - view.x) * factor,
    y: to.height / 2 - (from.height / 2 - view.y) * factor,
  };
}

/** An orientation turned or mirrored once more, as seen on the screen. */
export function turned({ turn, flip }: Orientation, by: Turning): Orientation {
  const quarters = (count: number): Orientation["turn"] => (((count % 4) + 4) % 4) as Orientation["turn"];
  switch (by) {
    case "right":
      return { turn: quarters(turn + 1), flip };
    case "left":
      return { turn: quarters(turn - 1), flip };
    case "horizontal":
      return { turn: quarters(-turn), flip: !flip };
    case "vertical":
      return { turn: quarters(2 - turn), flip: !flip };
  }
}
