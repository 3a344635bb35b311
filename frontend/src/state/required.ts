import type { CaseInfo, Content, FieldError, StepKind } from "../api/types";

/** Naming what a box holds is no proof of finding it: of these tasks a region is wanted as well. */
const ROI_TASKS: readonly string[] = ["VG", "attribute", "localization"];

/** One thing that is wanted: what it is called before and after it is there, and what lacks. */
export interface Wanted {
  name: string;
  words: string;
  lacking: FieldError[];
}

type Asked = Pick<CaseInfo, "task" | "images">;
type Check = (content: Content, asked: Asked) => FieldError[] | null;

function absentAnswer({ answer }: Content): boolean {
  return answer === null || (!answer.choice && !answer.text?.trim() && !answer.boxes?.length);
}

function isEmpty(content: Content): boolean {
  const { confidence, rois, steps, entities } = content;
  return absentAnswer(content) && confidence === null && rois.length + steps.length + entities.length === 0;
}

function unless(isThere: boolean, path: string, detail: string): FieldError[] {
  return isThere ? [] : [{ path, detail }];
}

/** A step of a kind with a text: the one that is there and empty is named, else the field of the form. */
function said(content: Content, kind: StepKind, image: number | null, path: string, detail: string): FieldError[] {
  const isOf = (kindHere: StepKind, imageHere: number | null): boolean =>
    kindHere === kind && (image === null || imageHere === image);
  const steps = content.steps.filter((step) => isOf(step.kind, step.image));
  if (steps.some((step) => step.text.trim() !== "")) return [];
  const index = content.steps.findIndex((step) => isOf(step.kind, step.image));
  return [{ path: index < 0 ? path : `steps[${index}].text`, detail }];
}

const CHECKS: Record<string, { words: string; check: Check }> = {
  answer: { words: "Answer", check: (content) => unless(!absentAnswer(content), "answer", "an answer is required") },
  confidence: {
    words: "Confidence",
    check: ({ confidence }) => unless(confidence !== null, "confidence", "a confidence is required"),
  },
  rois: {
    words: "At least one ROI",
    check: ({ rois }) => unless(rois.length > 0, "rois", "at least one ROI is required"),
  },
  task_rois: {
    words: "At least one ROI",
    check: ({ rois }, { task }) =>
      ROI_TASKS.includes(task) ? unless(rois.length > 0, "rois", "at least one ROI is required") : null,
  },
  label: {
    words: "A label on every ROI",
    check: ({ rois }) =>
      rois.flatMap((roi, index) =>
        unless(roi.label !== null, `rois[${index}].label`, `ROI ${index + 1} needs a label`),
      ),
  },
  image_findings: {
    words: "A finding of each image",
    check: (content, { images }) =>
      images.flatMap(({ number }) =>
        said(content, "image_finding", number, `steps.image_finding.${number}`, `image ${number} has no finding`),
      ),
  },
  summary: {
    words: "Summary",
    check: (content) => said(content, "summary", null, "steps.summary", "a summary is required"),
  },
  differential: {
    words: "Differential",
    check: (content) => said(content, "differential", null, "steps.differential", "a differential is required"),
  },
  steps: {
    words: "At least one step",
    check: ({ steps }) => unless(steps.length > 0, "steps", "at least one step is required"),
  },
  step_text: {
    words: "A text in every step",
    // Of no step there is nothing to say.
    check: ({ steps }) =>
      steps.length === 0
        ? null
        : steps.flatMap((step, index) =>
            unless(step.text.trim() !== "", `steps[${index}].text`, `step ${index + 1} needs a text`),
          ),
  },
  evidence: {
    words: "A ROI cited in every step",
    check: ({ steps }) =>
      steps.flatMap((step, index) =>
        unless(
          step.kind === "answer" || step.evidence.length > 0,
          `steps[${index}].evidence`,
          `step ${index + 1} cites no ROI`,
        ),
      ),
  },
};

/** In the order in which a reading is written: regions, steps, answer. */
const ORDER = Object.keys(CHECKS).filter((name) => name !== "answer" && name !== "confidence");

/** What the protocol wants of this case, each with what lacks; a field that two of them lack is named by the first. */
export function wanted(content: Content, required: readonly string[], asked: Asked): Wanted[] {
  const named = new Set<string>();
  return [...ORDER, "answer", "confidence"].flatMap((name) => {
    const found = required.includes(name) ? CHECKS[name]?.check(content, asked) : null;
    if (!found) return [];
    const lacking = found.filter(({ path }) => !named.has(path));
    for (const { path } of lacking) named.add(path);
    return [{ name, words: CHECKS[name]?.words ?? name, lacking }];
  });
}

/** What the protocol wants and the reading lacks, with the same paths as the server's own check at submit. */
export function missing(content: Content, required: readonly string[], asked: Asked): FieldError[] {
  const found = wanted(content, required, asked).flatMap(({ lacking }) => lacking);
  // Also where the protocol asks for nothing: an empty reading is a slip of the hand.
  return found.length === 0 && isEmpty(content) ? [{ path: "answer", detail: "nothing is written yet" }] : found;
}
