import type { Roi } from "../api/types";
import { crossesItself } from "../geometry/outline";
import { labelName } from "../state/labels";
import type { ReadingBoard } from "../state/readingboard";

/** Whether a region's outline crosses itself, which even-odd reads as a hole. */
export function isCrossing(roi: Roi): boolean {
  return (roi.shape === "polygon" || roi.shape === "freehand") && crossesItself(roi.geometry);
}

/** What a screen reader says of a ROI. */
export function roiSentence(board: ReadingBoard, roi: Roi, number: number): string {
  const name = labelName(roi.label, board.labels);
  const steps = board.store.content.value.steps;
  const cited = steps.flatMap((step, index) => (step.evidence.includes(roi.id) ? [index + 1] : []));
  const citing =
    cited.length === 0 ? "not cited" : `cited in step${cited.length > 1 ? "s" : ""} ${cited.join(" and ")}`;
  const flag = isCrossing(roi) ? "crosses itself" : "";
  return [`ROI ${number}`, name, roi.shape, `image ${roi.image}`, flag, citing].filter(Boolean).join(", ");
}
