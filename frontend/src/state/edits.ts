import type { Answer, Content, Roi, Step, StepKind } from "../api/types";

// Pure changes of a reading's content; each returns the same object if nothing changes.

export function addRoi(content: Content, roi: Roi, stepId: string | null, isMoved = true): Content {
  const added = { ...content, rois: [...content.rois, roi] };
  return stepId === null ? added : cite(added, stepId, roi.id, isMoved);
}

export function changeRoi(content: Content, id: string, edit: (roi: Roi) => Roi): Content {
  return { ...content, rois: content.rois.map((roi) => (roi.id === id ? edit(roi) : roi)) };
}

/** A deleted ROI leaves no citation behind: the server refuses steps that cite what is not there. */
export function deleteRoi(content: Content, id: string): Content {
  return {
    ...content,
    rois: content.rois.filter((roi) => roi.id !== id),
    steps: content.steps.map((step) =>
      step.evidence.includes(id) ? { ...step, evidence: step.evidence.filter((one) => one !== id) } : step,
    ),
    entities: content.entities.map((entity) =>
      entity.rois.includes(id) ? { ...entity, rois: entity.rois.filter((one) => one !== id) } : entity,
    ),
  };
}

export function newStep(id: string, kind: StepKind, image: number): Step {
  return {
    id,
    kind,
    image: kind === "image_finding" ? image : null,
    text: "",
    evidence: [],
    regions: [],
    is_critical: null,
    confidence: null,
    topic: null,
    state: null,
  };
}

export function addStep(content: Content, step: Step): Content {
  return { ...content, steps: [...content.steps, step] };
}

export function changeStep(content: Content, id: string, patch: Partial<Step>): Content {
  return { ...content, steps: content.steps.map((step) => (step.id === id ? { ...step, ...patch } : step)) };
}

export function deleteStep(content: Content, id: string): Content {
  return { ...content, steps: content.steps.filter((step) => step.id !== id) };
}

/** One place up (-1) or down (+1); the links stay, since they are on the step. */
export function moveStep(content: Content, id: string, by: -1 | 1): Content {
  const from = content.steps.findIndex((step) => step.id === id);
  const to = from + by;
  const moved = content.steps[from];
  if (moved === undefined || to < 0 || to >= content.steps.length) return content;
  const steps = content.steps.filter((_, index) => index !== from);
  steps.splice(to, 0, moved);
  return { ...content, steps };
}

/** A finding is of the image that its first region lies on, unless its image is given (`isMoved` false). */
export function cite(content: Content, stepId: string, roiId: string, isMoved = true): Content {
  const step = content.steps.find((one) => one.id === stepId);
  if (step === undefined || step.evidence.includes(roiId)) return content;
  const evidence = [...step.evidence, roiId];
  const image = content.rois.find((one) => one.id === roiId)?.image;
  const follows = isMoved && step.kind === "image_finding" && step.evidence.length === 0 && image !== undefined;
  return changeStep(content, stepId, follows ? { evidence, image } : { evidence });
}

export function uncite(content: Content, stepId: string, roiId: string): Content {
  const step = content.steps.find((one) => one.id === stepId);
  if (!step?.evidence.includes(roiId)) return content;
  return changeStep(content, stepId, { evidence: step.evidence.filter((one) => one !== roiId) });
}

export function setAnswer(content: Content, answer: Answer | null): Content {
  return { ...content, answer };
}
