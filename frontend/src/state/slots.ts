import type { Content, ImageInfo, Protocol, Step, StepKind } from "../api/types";
import { newStep } from "./edits";

/** A field of a structured reading: it has its place on the page before anything is written in it. */
export interface Slot {
  key: string;
  kind: StepKind;
  image: number | null;
}

/** A row of the form: a slot's field, a further step of the same slot, or a step that belongs to no slot. */
export interface FormRow {
  /** The same for a slot's field before and after its step exists, so that the text field stays. */
  key: string;
  /** The step's id; of an empty field, the id that its step will have. */
  id: string;
  slot: Slot | null;
  /** Null while nothing is written. */
  step: Step | null;
}

const ORDER: readonly StepKind[] = ["image_finding", "topic_finding", "summary", "differential", "free", "answer"];

/** The fields that a protocol asks for, in order; null where a reading is a free list of steps. */
export function slotsOf({ kind, step_kinds }: Protocol, images: readonly ImageInfo[]): Slot[] | null {
  if (kind !== "medthinkvqa") return null;
  const findings = images.map(({ number }) => slot("image_finding", number));
  const all = [...findings, slot("summary", null), slot("differential", null), slot("answer", null)];
  return all.filter((one) => step_kinds.includes(one.kind));
}

function slot(kind: StepKind, image: number | null): Slot {
  return { key: image === null ? kind : `${kind}-${image}`, kind, image };
}

function isOf(step: Step, { kind, image }: Slot): boolean {
  return step.kind === kind && (image === null || step.image === image);
}

/** The rows of a form over what is written: each slot has one at least, and nothing written is left out. */
export function rowsOf(slots: readonly Slot[], steps: readonly Step[], idOf: (key: string) => string): FormRow[] {
  const rows = slots.flatMap((one): FormRow[] => {
    const [first, ...further] = steps.filter((step) => isOf(step, one));
    const field = { key: one.key, id: first?.id ?? idOf(one.key), slot: one, step: first ?? null };
    return [field, ...further.map((step) => ({ key: step.id, id: step.id, slot: one, step }))];
  });
  const others = steps.filter((step) => !slots.some((one) => isOf(step, one)));
  return [...rows, ...others.map((step) => ({ key: step.id, id: step.id, slot: null, step }))];
}

export function isDone(row: FormRow): boolean {
  return row.step !== null && row.step.text.trim() !== "";
}

function rank(step: Step): [number, number] {
  return [ORDER.indexOf(step.kind), step.image ?? 0];
}

/** Puts a step where the form has it: after everything of its own kind and image and of those before. */
export function placeStep(content: Content, step: Step): Content {
  const [kind, image] = rank(step);
  const before = content.steps.filter((one) => {
    const [otherKind, otherImage] = rank(one);
    return otherKind < kind || (otherKind === kind && otherImage <= image);
  });
  const at = content.steps.indexOf(before.at(-1) as Step) + 1;
  return { ...content, steps: [...content.steps.slice(0, at), step, ...content.steps.slice(at)] };
}

/** The content with the row's step in it, so that text and citations have somewhere to go. */
export function withStep(content: Content, row: FormRow | undefined): Content {
  if (!row?.slot || content.steps.some((step) => step.id === row.id)) return content;
  return placeStep(content, newStep(row.id, row.slot.kind, row.slot.image ?? 1));
}

/** A field that was emptied again is no step: nothing is said in it and nothing shown. */
export function withoutEmpty(content: Content, row: FormRow): Content {
  const { slot } = row;
  // With a further step of the same slot the field stays: the other text would else move under the reader's hands.
  if (slot?.key !== row.key || content.steps.filter((step) => isOf(step, slot)).length > 1) return content;
  const steps = content.steps.filter((step) => step.id !== row.id || step.text !== "" || step.evidence.length > 0);
  return steps.length === content.steps.length ? content : { ...content, steps };
}
