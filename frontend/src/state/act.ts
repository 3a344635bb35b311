import type { ImageInfo, Roi, StepKind } from "../api/types";
import { moveBox } from "../geometry/box";
import { fromFile } from "../viewer/lut";
import { zoomAt } from "../viewer/transform";
import { viewOf, windowOf } from "./cells";
import { addRoi, addStep, changeRoi, cite, deleteRoi, newStep, uncite } from "./edits";
import { labelByKey } from "./labels";
import type { Session } from "./session";

// What keys, buttons and pointers all do; each is one entry of the undo stack.

export function currentImage(session: Session): ImageInfo | null {
  return session.image(session.cell().image.value);
}

export function drawBox(
  session: Session,
  image: ImageInfo,
  frame: number,
  geometry: { x0: number; y0: number; x1: number; y1: number },
): void {
  const id = crypto.randomUUID();
  const labels = session.data.protocol.labels;
  const label = session.label.peek() ?? (labels.length === 1 ? (labels[0]?.id ?? null) : null);
  const roi: Roi = { id, image: image.number, frame, label, shape: "box", geometry, origin: "manual" };
  session.store.change((content) => addRoi(content, roi, session.activeStep.peek()));
  session.selected.value = id;
}

export function removeRoi(session: Session, id: string): void {
  session.store.change((content) => deleteRoi(content, id));
  if (session.selected.peek() === id) session.selected.value = null;
}

export function nudge(session: Session, id: string, dx: number, dy: number): void {
  const roi = session.rois.peek().find((one) => one.id === id);
  const image = session.image(roi?.image ?? null);
  if (roi?.shape !== "box" || !image) return;
  const geometry = moveBox(roi.geometry, dx, dy, image.width, image.height);
  session.store.change((content) => changeRoi(content, id, () => ({ ...roi, geometry })), `nudge ${id}`);
}

export function labelWithKey(session: Session, key: string): void {
  const label = labelByKey(key, session.data.protocol);
  if (!label) return;
  session.label.value = label.id;
  const id = session.selected.peek();
  if (id) setLabel(session, id, label.id);
}

export function setLabel(session: Session, id: string, label: string | null): void {
  session.store.change((content) => changeRoi(content, id, (roi) => (roi.label === label ? roi : { ...roi, label })));
}

export function appendStep(session: Session, kind?: StepKind): void {
  const kinds = session.data.protocol.step_kinds;
  const image = session.cell().image.peek() ?? 1;
  const step = newStep(crypto.randomUUID(), kind ?? kinds[0] ?? "free", image);
  session.store.change((content) => addStep(content, step));
  session.activeStep.value = step.id;
}

/** Cites the selected ROI in the active step, or takes the citation back. */
export function toggleCite(session: Session): void {
  const [step, roi] = [session.activeStep.peek(), session.selected.peek()];
  if (!step || !roi) return;
  session.store.change((content) => {
    const cited = cite(content, step, roi);
    return cited === content ? uncite(content, step, roi) : cited;
  });
}

export function invert(session: Session): void {
  const cell = session.cell();
  const windowing = windowOf(cell);
  cell.windowing.value = { ...windowing, invert: !windowing.invert };
}

export function preset(session: Session, index: number): void {
  const window = currentImage(session)?.windows[index];
  const cell = session.cell();
  if (window) cell.windowing.value = { ...fromFile(window), invert: windowOf(cell).invert };
}

export function zoom(session: Session, factor: number | null): void {
  const cell = session.cell();
  const image = currentImage(session);
  if (!image) return;
  const { width, height } = cell.box.peek();
  cell.view.value = factor === null ? null : zoomAt(viewOf(cell, image), factor, width / 2, height / 2);
}

/** Another frame of the active viewport; stops at both ends. */
export function stepFrame(session: Session, by: number): void {
  const image = currentImage(session);
  if (image) goToFrame(session, session.cell().frame.peek() + by);
}

export function goToFrame(session: Session, frame: number): void {
  const image = currentImage(session);
  if (!image) return;
  const cell = session.cell();
  cell.playing.value = false;
  cell.frame.value = Math.min(image.frames - 1, Math.max(0, frame));
}

export function stepImage(session: Session, by: number): void {
  const numbers = session.images.peek().map((image) => image.number);
  const at = numbers.indexOf(session.cell().image.peek() ?? -1);
  const next = numbers[Math.min(numbers.length - 1, Math.max(0, at + by))];
  if (next !== undefined) session.show(next);
}

export function stepCell(session: Session, by: number): void {
  const count = session.cells.peek().length;
  session.activeCell.value = (session.activeCell.peek() + by + count) % count;
}

export function stepRoi(session: Session, by: number): void {
  const rois = session.rois.peek();
  if (rois.length === 0) return;
  const at = rois.findIndex((roi) => roi.id === session.selected.peek());
  const next = rois[at < 0 ? (by > 0 ? 0 : rois.length - 1) : (at + by + rois.length) % rois.length];
  if (next) session.reveal(next);
}

export function togglePlaying(session: Session): void {
  const cell = session.cell();
  if ((currentImage(session)?.frames ?? 1) > 1) cell.playing.value = !cell.playing.peek();
}
