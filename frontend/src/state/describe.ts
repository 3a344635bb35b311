import type { Content, Roi, Step } from "../api/types";

function same(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

function inRois(before: readonly Roi[], after: readonly Roi[]): string | null {
  const added = after.findIndex((roi) => !before.some(({ id }) => id === roi.id));
  if (added >= 0) return `ROI ${added + 1} drawn`;
  const gone = before.findIndex((roi) => !after.some(({ id }) => id === roi.id));
  if (gone >= 0) return `ROI ${gone + 1} deleted`;
  const at = after.findIndex(
    (roi) =>
      !same(
        roi,
        before.find(({ id }) => id === roi.id),
      ),
  );
  if (at < 0) return null;
  const was = before.find(({ id }) => id === after[at]?.id);
  if (after[at]?.shape === "mask" && was?.geometry !== after[at]?.geometry) return `ROI ${at + 1} painted`;
  const isLabel = after[at]?.label !== was?.label;
  return isLabel ? `label of ROI ${at + 1}` : `ROI ${at + 1} moved`;
}

function inStep(before: Step, after: Step, number: number): string | null {
  if (before.text !== after.text) return `text of step ${number}`;
  if (!same(before.evidence, after.evidence)) return `ROIs cited in step ${number}`;
  return same(before, after) ? null : `step ${number}`;
}

function inSteps(before: readonly Step[], after: readonly Step[]): string | null {
  const added = after.findIndex((step) => !before.some(({ id }) => id === step.id));
  if (added >= 0) return after[added]?.text ? `text of step ${added + 1}` : `step ${added + 1} added`;
  const gone = before.findIndex((step) => !after.some(({ id }) => id === step.id));
  if (gone >= 0) return `step ${gone + 1} deleted`;
  for (const [index, step] of after.entries()) {
    const was = before.find(({ id }) => id === step.id);
    const found = was && inStep(was, step, index + 1);
    if (found) return found;
  }
  return same(before, after) ? null : "order of steps";
}

/** In a few words what differs between two states that follow one another; a reader hears it when undoing. */
export function changeBetween(before: Content, after: Content): string {
  return (
    inRois(before.rois, after.rois) ??
    inSteps(before.steps, after.steps) ??
    (same(before.answer, after.answer) ? null : "answer") ??
    (before.confidence === after.confidence ? "change" : "confidence")
  );
}
