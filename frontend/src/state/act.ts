import type { ImageInfo, Roi, ShapeGeometry, StepKind } from "../api/types";
import { moved } from "../geometry/edit";
import type { Board } from "./board";
import { addStep, newStep } from "./edits";
import { labelByKey, takesShape } from "./labels";
import type { Session } from "./session";
import { placeStep } from "./slots";

// What keys, buttons and pointers all do; each is one entry of the undo stack.

export function drawShape(board: Board, image: ImageInfo, frame: number, shape: ShapeGeometry): void {
  const id = crypto.randomUUID();
  const label = board.labelFor(shape.shape);
  const roi: Roi = { id, image: image.number, frame, label, origin: "manual", ...shape };
  board.addRoi(roi);
  board.selected.value = id;
}

export function removeRoi(board: Board, id: string): void {
  board.deleteRoi(id);
  if (board.selected.peek() === id) board.selected.value = null;
}

export function nudge(board: Board, id: string, dx: number, dy: number): void {
  const roi = board.rois.peek().find((one) => one.id === id);
  const image = board.image(roi?.image ?? null);
  if (!roi || !image) return;
  const shape = moved(roi, [dx, dy], image);
  board.changeRoi(id, () => ({ ...roi, ...shape }), `nudge ${id}`);
}

export function labelWithKey(board: Board, key: string): void {
  const label = labelByKey(key, board.labels);
  if (!label) return;
  board.label.value = label.id;
  const id = board.selected.peek();
  if (id) setLabel(board, id, label.id);
}

export function setLabel(board: Board, id: string, label: string | null): void {
  const wanted = board.labels.find((one) => one.id === label);
  const shape = board.rois.peek().find((roi) => roi.id === id)?.shape;
  if (wanted && shape && !takesShape(wanted, shape)) {
    // The server would refuse the draft; the region keeps what it has.
    board.tell(`${wanted.name} takes ${wanted.shapes.join(" or ")}, not ${shape}`);
    return;
  }
  board.changeRoi(id, (roi) => (roi.label === label ? roi : { ...roi, label }));
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

export function stepRoi(board: Board, by: number): void {
  const rois = board.rois.peek();
  if (rois.length === 0) return;
  const at = rois.findIndex((roi) => roi.id === board.selected.peek());
  const next = rois[at < 0 ? (by > 0 ? 0 : rois.length - 1) : (at + by + rois.length) % rois.length];
  if (next) board.reveal(next);
}
