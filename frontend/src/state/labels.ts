import type { Label, Roi, Shape } from "../api/types";

export interface RoiLook {
  colour: string;
  dash: string;
}

const TOKENS = 8;
const DASHES: Record<string, string> = { solid: "none", dashed: "7 3", dotted: "2 3" };

/**
 * Colour and line of a label. Where every label asks for the same line, the line says nothing, so that the design's own
 * pairs of colour and line are used: never colour alone.
 */
export function lookOf(label: string | null, labels: readonly Label[]): RoiLook {
  const index = labels.findIndex((one) => one.id === label);
  const found = labels[index];
  if (!found) return { colour: "var(--roi-8)", dash: "none" };
  const token = (index % TOKENS) + 1;
  const isTold = new Set(labels.map((one) => one.line_style)).size > 1;
  if (isTold) return { colour: found.colour, dash: DASHES[found.line_style] ?? "none" };
  return { colour: `var(--roi-${token})`, dash: `var(--roi-${token}-dash)` };
}

export function labelName(label: string | null, labels: readonly Label[]): string {
  return labels.find((one) => one.id === label)?.name ?? "";
}

export function labelByKey(key: string, labels: readonly Label[]): Label | null {
  return labels.find((one, index) => (one.key ?? String(index + 1)) === key) ?? null;
}

/** The number of a ROI: the same on the image, in steps, in the list and for a screen reader. */
export function roiNumber(rois: readonly Roi[], id: string): number {
  return rois.findIndex((roi) => roi.id === id) + 1;
}

/** Whether a label may be given to a region of this shape; a label that names no shapes takes all. */
export function takesShape(label: Label, shape: Shape): boolean {
  return label.shapes.length === 0 || label.shapes.includes(shape);
}
