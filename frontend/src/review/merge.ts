// Putting gold together from parts of readings: pure, so that every change is a new draft and evidence always holds.
import type { Answer, MaskGeometry, Roi, ShapeGeometry, Step } from "../api/types";
import { maskPolygons } from "../geometry/maskloops";
import type { Action, Consensus, Draft, GoldContent, ReadingSaid, SourceTaken } from "./data";

export const NOTHING: GoldContent = { answer: null, rois: [], steps: [] };

/** Who said a part, by reading and revision. */
export type From = Pick<ReadingSaid, "reading" | "revision">;

function withSource(sources: readonly SourceTaken[], from: From, change: (taken: SourceTaken) => SourceTaken) {
  const is = (one: SourceTaken): boolean => one.reading === from.reading && one.revision === from.revision;
  const fresh: SourceTaken = { reading: from.reading, revision: from.revision, answer: false, rois: [], steps: [] };
  const changed = change(sources.find(is) ?? fresh);
  return sources.some(is) ? sources.map((one) => (is(one) ? changed : one)) : [...sources, changed];
}

const isEmpty = (one: SourceTaken): boolean => !one.answer && one.rois.length + one.steps.length === 0;
const added = (names: string[], name: string): string[] => (names.includes(name) ? names : [...names, name]);

/** Sources without a part that is no longer there, and without those of which nothing is left. */
function pruned(draft: Draft): Draft {
  const there = new Set([...draft.content.rois, ...draft.content.steps].map((row) => row.id));
  const sources = draft.sources.flatMap((one) => {
    const rois = one.rois.filter((id) => there.has(id));
    const steps = one.steps.filter((id) => there.has(id));
    const left = { ...one, rois, steps };
    // A computed consensus rests on readings of which no part was taken.
    return isEmpty(left) && !isEmpty(one) ? [] : [left];
  });
  return { ...draft, sources };
}

export function takeAnswer(draft: Draft, answer: Answer | null, from: From | null): Draft {
  const without = draft.sources
    .map((one) => ({ ...one, answer: false }))
    .filter((one, at) => !isEmpty(one) || draft.sources[at]?.answer === false);
  const sources = from ? withSource(without, from, (one) => ({ ...one, answer: true })) : without;
  return pruned({ ...draft, sources, content: { ...draft.content, answer } });
}

export function takeRoi(draft: Draft, roi: Roi, from: From): Draft {
  if (draft.content.rois.some((one) => one.id === roi.id)) return draft;
  return {
    ...draft,
    content: { ...draft.content, rois: [...draft.content.rois, roi] },
    sources: withSource(draft.sources, from, (one) => ({ ...one, rois: added(one.rois, roi.id) })),
  };
}

/** A step brings the regions that it rests on. */
export function takeStep(draft: Draft, step: Step, from: From, rois: readonly Roi[]): Draft {
  if (draft.content.steps.some((one) => one.id === step.id)) return draft;
  const cited = rois.filter((roi) => step.evidence.includes(roi.id));
  const ready = cited.reduce((now, roi) => takeRoi(now, roi, from), draft);
  return {
    ...ready,
    content: { ...ready.content, steps: [...ready.content.steps, step] },
    sources: withSource(ready.sources, from, (one) => ({ ...one, steps: added(one.steps, step.id) })),
  };
}

/** The whole reading instead of whatever there was. */
export function takeReading(draft: Draft, said: ReadingSaid): Draft {
  const { answer, rois, steps } = said.content;
  const taken = {
    reading: said.reading,
    revision: said.revision,
    answer: answer !== null,
    rois: rois.map((roi) => roi.id),
    steps: steps.map((step) => step.id),
  };
  return { ...draft, action: "pick", content: { answer, rois, steps }, sources: [taken] };
}

/** A region that was computed, under a new id: it is nobody's own. */
export function addRegion(
  draft: Draft,
  shape: ShapeGeometry,
  at: Pick<Roi, "image" | "frame" | "label">,
  id: string,
): Draft {
  const { image, frame, label } = at;
  return addRoi(draft, { id, image, frame, label, origin: "proposed", ...shape } as Roi);
}

/** A region that the reviewer drew. */
export function addRoi(draft: Draft, roi: Roi): Draft {
  return { ...draft, content: { ...draft.content, rois: [...draft.content.rois, roi] } };
}

/** A region changed by the reviewer: it keeps who drew it, and says that it was edited. */
export function changeRoi(draft: Draft, id: string, edit: (roi: Roi) => Roi): Draft {
  const was = draft.content.rois.find((roi) => roi.id === id);
  const now = was && edit(was);
  if (!now || now === was) return draft;
  const isOwn = now.origin === "manual" && !draft.sources.some((one) => one.rois.includes(id));
  const marked: Roi = isOwn ? now : { ...now, origin: "edited" };
  const rois = draft.content.rois.map((roi) => (roi === was ? marked : roi));
  return { ...draft, content: { ...draft.content, rois } };
}

/** Outlines nearer than this to a mask's pixel edges are as good as they, in pixels. */
const OUTLINE_PX = 0.75;

/** Polygons instead of a mask, so that they can be changed; steps that rest on it rest on each piece. */
export function outlineRoi(draft: Draft, id: string, newId: () => string): Draft {
  const mask = draft.content.rois.find((roi) => roi.id === id);
  if (mask?.shape !== "mask") return draft;
  const pieces = maskPolygons(mask.geometry as MaskGeometry, OUTLINE_PX).map(
    (geometry, at): Roi => ({ ...mask, id: at === 0 ? id : newId(), origin: "edited", shape: "polygon", geometry }),
  );
  if (pieces.length === 0) return draft;
  const more = pieces.slice(1).map((piece) => piece.id);
  const rois = draft.content.rois.flatMap((roi) => (roi === mask ? pieces : [roi]));
  const steps = draft.content.steps.map((step) =>
    step.evidence.includes(id) ? { ...step, evidence: [...step.evidence, ...more] } : step,
  );
  return { ...draft, content: { ...draft.content, rois, steps } };
}

/** The likeliest answer and the majority's regions; no steps, since no rule makes one rationale of several. */
export function takeConsensus(draft: Draft, found: Consensus, newId: () => string): Draft {
  const best = found.answers.majority ?? found.answers.dawid_skene?.best;
  const start: Draft = {
    ...draft,
    action: "consensus",
    content: { ...NOTHING, answer: best ? { choice: best } : null },
    sources: found.counted.flatMap((number) => {
      const said = found.readings[number];
      const revision = said?.counted_revision ?? said?.revision;
      return said && revision ? [{ reading: said.reading, revision, answer: true, rois: [], steps: [] }] : [];
    }),
  };
  return found.regions.reduce((now, place) => (place.roi ? addRegion(now, place.roi, place, newId()) : now), start);
}

export function removeRoi(draft: Draft, id: string): Draft {
  const rois = draft.content.rois.filter((roi) => roi.id !== id);
  const steps = draft.content.steps.map((step) =>
    step.evidence.includes(id) ? { ...step, evidence: step.evidence.filter((name) => name !== id) } : step,
  );
  return pruned({ ...draft, content: { ...draft.content, rois, steps } });
}

export function removeStep(draft: Draft, id: string): Draft {
  const steps = draft.content.steps.filter((step) => step.id !== id);
  return pruned({ ...draft, content: { ...draft.content, steps } });
}

export function changeStep(draft: Draft, id: string, change: Partial<Step>): Draft {
  const steps = draft.content.steps.map((step) => (step.id === id ? { ...step, ...change } : step));
  return { ...draft, content: { ...draft.content, steps } };
}

export function moveStep(draft: Draft, id: string, by: -1 | 1): Draft {
  const steps = [...draft.content.steps];
  const at = steps.findIndex((step) => step.id === id);
  const [one, other] = [steps[at], steps[at + by]];
  if (!one || !other) return draft;
  steps[at] = other;
  steps[at + by] = one;
  return { ...draft, content: { ...draft.content, steps } };
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** How the gold came about, by what is in it: one reading as it is, one changed, or parts of several. */
export function actionOf(draft: Draft, readings: readonly ReadingSaid[]): Action {
  const [only, ...others] = draft.sources;
  if (only && others.length === 0) {
    const said = readings.find((one) => one.reading === only.reading && one.revision === only.revision);
    const { answer, rois, steps } = said?.content ?? NOTHING;
    return said && same(draft.content, { answer, rois, steps }) ? "pick" : "edit";
  }
  return others.length > 0 ? "merge" : "edit";
}

/** Whether there is anything that gold could say. */
export function saysSomething({ answer, rois, steps }: GoldContent): boolean {
  return answer !== null || rois.length + steps.length > 0;
}
