import type { ImageInfo, Roi, Shape, ShapeGeometry, StepKind } from "../api/types";
import { moved } from "../geometry/edit";
import { addStep, changeRoi, deleteRoi, newStep } from "./edits";
import { labelByKey, takesShape } from "./labels";
import type { Session } from "./session";
import { placeStep } from "./slots";

// What keys, buttons and pointers all do; each is one entry of the undo stack.

/** The label in the hand, or the only one there is, if it may be drawn in this shape. */
function labelFor(session: Session, shape: Shape): string | null {
  const { labels } = session.data.protocol;
  const wanted = session.label.peek() ?? (labels.length === 1 ? labels[0]?.id : null);
  const found = labels.find((one) => one.id === wanted);
  return found && takesShape(found, shape) ? found.id : null;
}

export function drawShape(session: Session, image: ImageInfo, frame: number, shape: ShapeGeometry): void {
  const id = crypto.randomUUID();
  const label = labelFor(session, shape.shape);
  const roi: Roi = { id, image: image.number, frame, label, origin: "manual", ...shape };
  session.form.add(roi);
  session.selected.value = id;
}

export function removeRoi(session: Session, id: string): void {
  session.store.change((content) => deleteRoi(content, id));
  if (session.selected.peek() === id) session.selected.value = null;
}

export function nudge(session: Session, id: string, dx: number, dy: number): void {
  const roi = session.rois.peek().find((one) => one.id === id);
  const image = session.image(roi?.image ?? null);
  if (!roi || !image) return;
  const shape = moved(roi, [dx, dy], image);
  session.store.change((content) => changeRoi(content, id, () => ({ ...roi, ...shape })), `nudge ${id}`);
}

export function labelWithKey(session: Session, key: string): void {
  const label = labelByKey(key, session.data.protocol);
  if (!label) return;
  session.label.value = label.id;
  const id = session.selected.peek();
  if (id) setLabel(session, id, label.id);
}

export function setLabel(session: Session, id: string, label: string | null): void {
  const { labels } = session.data.protocol;
  const wanted = labels.find((one) => one.id === label);
  const shape = session.rois.peek().find((roi) => roi.id === id)?.shape;
  if (wanted && shape && !takesShape(wanted, shape)) {
    // The server would refuse the draft; the region keeps what it has.
    session.toast.value = { text: `${wanted.name} takes ${wanted.shapes.join(" or ")}, not ${shape}`, link: null };
    return;
  }
  session.store.change((content) => changeRoi(content, id, (roi) => (roi.label === label ? roi : { ...roi, label })));
}

export function appendStep(session: Session, kind?: StepKind): void {
  const kinds = session.data.protocol.step_kinds;
  const image = session.cell().image.peek() ?? 1;
  const step = newStep(crypto.randomUUID(), kind ?? kinds[0] ?? "free", image);
  const add = session.form.slots.peek() ? placeStep : addStep;
  session.store.change((content) => add(content, step));
  session.activeStep.value = step.id;
}

/** Cites the selected ROI in the active step, or takes the citation back. */
export function toggleCite(session: Session): void {
  const [step, roi] = [session.activeStep.peek(), session.selected.peek()];
  if (step && roi) session.form.toggle(step, roi);
}

export function stepRoi(session: Session, by: number): void {
  const rois = session.rois.peek();
  if (rois.length === 0) return;
  const at = rois.findIndex((roi) => roi.id === session.selected.peek());
  const next = rois[at < 0 ? (by > 0 ? 0 : rois.length - 1) : (at + by + rois.length) % rois.length];
  if (next) session.reveal(next);
}
