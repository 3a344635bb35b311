import type { JSX } from "preact";
import { here } from "../api/clock";
import type { ImageInfo, Roi, StepKind } from "../api/types";
import { area } from "../geometry/shapes";
import { bodySpacing, lengthText, quantity } from "../viewer/measure";

const KINDS: Record<StepKind, string> = {
  image_finding: "Finding",
  summary: "Summary",
  differential: "Differential",
  topic_finding: "Topic finding",
  answer: "Answer",
  free: "Step",
};

export function kindName(kind: StepKind): string {
  return KINDS[kind];
}

/** 24 h clock of this computer, also where it is wrong: text is a moment by the server. */
export function clock(at: string | Date | null): string {
  if (at === null) return "";
  const date = typeof at === "string" ? here(at) : at;
  return `${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}`;
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** Square pixels with thousands, or square millimetres where the file gives the spacing. */
export function areaText(areaPx: number, spacing: readonly [number, number] | null): string {
  const value = spacing ? areaPx * spacing[0] * spacing[1] : areaPx;
  return quantity(value, spacing ? "mm²" : "px²");
}

/** A region's area, a line's length; a point has neither. */
export function sizeText(roi: Roi, image: ImageInfo | null): string {
  if (roi.shape === "point") return "–";
  return roi.shape === "line" ? lengthText(roi.geometry, image) : areaText(area(roi), bodySpacing(image));
}

/** A moment as this browser's clock has it; nothing where there is none. */
export function when(at: string | null): string {
  return at ? new Date(at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" }) : "";
}

/** How far a slider's track is filled, of 1. */
export function filledTo(part: number): JSX.CSSProperties {
  return { "--at": `${Math.round(100 * part)}%` } as JSX.CSSProperties;
}
