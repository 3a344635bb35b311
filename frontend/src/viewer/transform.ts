/** Where an image lies in a viewport, in CSS pixels. `aspect` is the height of a pixel over its width. */
export interface View {
  scale: number;
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

export const LEAST_SCALE = 0.02;
export const MOST_SCALE = 64;

/** Row spacing over column spacing, where the file gives it: anisotropic pixels are shown with their aspect. */
export function pixelAspect(spacing: readonly [number, number] | null): number {
  if (!spacing || !(spacing[0] > 0) || !(spacing[1] > 0)) return 1;
  return spacing[0] / spacing[1];
}

export function fitted(image: Size, aspect: number, box: Size): View {
  if (box.width <= 0 || box.height <= 0) return { scale: 1, x: 0, y: 0 };
  const scale = Math.min(box.width / image.width, box.height / (image.height * aspect));
  return {
    scale,
    x: (box.width - image.width * scale) / 2,
    y: (box.height - image.height * aspect * scale) / 2,
  };
}

export function toScreen(view: View, aspect: number, x: number, y: number): [number, number] {
  return [x * view.scale + view.x, y * view.scale * aspect + view.y];
}

export function toImage(view: View, aspect: number, x: number, y: number): [number, number] {
  return [(x - view.x) / view.scale, (y - view.y) / (view.scale * aspect)];
}

/** Zoomed by `factor` with the point (x, y) of the screen kept where it is. */
export function zoomAt(view: View, factor: number, x: number, y: number): View {
  const scale = Math.min(MOST_SCALE, Math.max(LEAST_SCALE, view.scale * factor));
  const real = scale / view.scale;
  return { scale, x: x - (x - view.x) * real, y: y - (y - view.y) * real };
}

export function pan(view: View, dx: number, dy: number): View {
  return { ...view, x: view.x + dx, y: view.y + dy };
}

/** The same part of the image in a cell of another size: centre kept, scale by the cell's. */
export function resized(view: View, from: Size, to: Size): View {
  if (from.width <= 0 || from.height <= 0) return view;
  const factor = Math.min(to.width / from.width, to.height / from.height);
  return {
    scale: view.scale * factor,
    x: to.width / 2 - (from.width / 2 - view.x) * factor,
    y: to.height / 2 - (from.height / 2 - view.y) * factor,
  };
}
