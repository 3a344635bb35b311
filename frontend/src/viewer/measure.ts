import type { ImageInfo, PathGeometry } from "../api/types";

/** Millimetres only where the file gives the patient's plane: at the detector things look larger than they are. */
export function bodySpacing(image: ImageInfo | null): readonly [number, number] | null {
  return image?.spacing_source === "ImagerPixelSpacing" ? null : (image?.spacing_mm ?? null);
}

function text(value: number, unit: string): string {
  return `${value.toLocaleString("en-GB", { maximumFractionDigits: value < 100 ? 1 : 0 })}\u00a0${unit}`;
}

/** A line's length, from corner to corner. */
export function lengthText({ points }: PathGeometry, image: ImageInfo | null): string {
  const spacing = bodySpacing(image);
  const [down, across] = spacing ?? [1, 1];
  const long = points.slice(1).reduce((sum, [x, y], index) => {
    const [fromX, fromY] = points[index] as [number, number];
    return sum + Math.hypot((x - fromX) * across, (y - fromY) * down);
  }, 0);
  return text(long, spacing ? "mm" : "px");
}
