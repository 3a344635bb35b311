import type { ImageInfo, PathGeometry } from "../api/types";

/** Millimetres only where the file gives the patient's plane: at the detector things look larger than they are. */
export function bodySpacing(image: ImageInfo | null): readonly [number, number] | null {
  return image?.spacing_source === "ImagerPixelSpacing" ? null : (image?.spacing_mm ?? null);
}

// Made once: to make one for each number costs more than all the rest of a list of regions.
const TENTHS = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });
const WHOLE = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

/** A length or an area with thousands, a decimal below 100, and its unit. */
export function quantity(value: number, unit: string): string {
  return `${(value < 100 ? TENTHS : WHOLE).format(value)}\u00a0${unit}`;
}

/** A line's length, from corner to corner. */
export function lengthText({ points }: PathGeometry, image: ImageInfo | null): string {
  const spacing = bodySpacing(image);
  const [down, across] = spacing ?? [1, 1];
  const long = points.slice(1).reduce((sum, [x, y], index) => {
    const [fromX, fromY] = points[index] as [number, number];
    return sum + Math.hypot((x - fromX) * across, (y - fromY) * down);
  }, 0);
  return quantity(long, spacing ? "mm" : "px");
}
