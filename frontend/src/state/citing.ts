import type { Label, Roi } from "../api/types";
import { labelName, roiNumber } from "./labels";

/** An open `[[` before the caret: where it begins and ends, and what was typed after it. */
export interface Citing {
  from: number;
  to: number;
  query: string;
}

export function citing(text: string, caret: number): Citing | null {
  const found = /\[\[([^[\]\n]{0,40})$/.exec(text.slice(0, caret));
  return found ? { from: found.index, to: caret, query: found[1] ?? "" } : null;
}

/** Regions whose number begins with the query or whose label or shape holds it, in order. */
export function matches(rois: readonly Roi[], labels: readonly Label[], query: string): Roi[] {
  const wanted = query.trim().toLowerCase();
  return rois.filter((roi) => {
    const name = `${labelName(roi.label, labels)} ${roi.shape}`.toLowerCase();
    return wanted === "" || String(roiNumber(rois, roi.id)).startsWith(wanted) || name.includes(wanted);
  });
}
