import type { Content, FieldError } from "../api/types";

function absentAnswer({ answer }: Content): boolean {
  return answer === null || (!answer.choice && !answer.text?.trim() && !answer.boxes?.length);
}

function isEmpty(content: Content): boolean {
  const { confidence, rois, steps, entities } = content;
  return absentAnswer(content) && confidence === null && rois.length + steps.length + entities.length === 0;
}

/** What the protocol wants and the reading lacks, with the same paths as the server's own check at submit. */
export function missing(content: Content, required: readonly string[]): FieldError[] {
  const found: FieldError[] = [];
  const wants = (name: string): boolean => required.includes(name);
  if (wants("answer") && absentAnswer(content)) found.push({ path: "answer", detail: "an answer is required" });
  if (wants("confidence") && content.confidence === null)
    found.push({ path: "confidence", detail: "a confidence is required" });
  if (wants("rois") && content.rois.length === 0) found.push({ path: "rois", detail: "at least one ROI is required" });
  if (wants("steps") && content.steps.length === 0)
    found.push({ path: "steps", detail: "at least one step is required" });
  content.rois.forEach((roi, index) => {
    if (wants("label") && roi.label === null)
      found.push({ path: `rois[${index}].label`, detail: `ROI ${index + 1} needs a label` });
  });
  content.steps.forEach((step, index) => {
    if (wants("step_text") && step.text.trim() === "")
      found.push({ path: `steps[${index}].text`, detail: `step ${index + 1} needs a text` });
    if (wants("evidence") && step.evidence.length === 0)
      found.push({ path: `steps[${index}].evidence`, detail: `step ${index + 1} cites no ROI` });
  });
  // Also where the protocol asks for nothing: an empty reading is a slip of the hand.
  return found.length === 0 && isEmpty(content) ? [{ path: "answer", detail: "nothing is written yet" }] : found;
}
