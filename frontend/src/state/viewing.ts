import { batch } from "@preact/signals";
import type { ImageInfo } from "../api/types";
import { followView, followWindow } from "../viewer/linked";
import { fromFile, type Windowing } from "../viewer/lut";
import { centredOn, centreOf, pixelAspect, type Turning, turned, type View, zoomAt } from "../viewer/transform";
import { type Cell, viewOf, windowOf } from "./cells";
import type { Session } from "./session";

// What is looked at and how; nothing here is part of the reading or of its undo.

export function currentImage(session: Session): ImageInfo | null {
  return session.image(session.cell().image.value);
}

/** Every viewport that follows a cell, with its image; none while the view is free. */
function followers(session: Session, cell: Cell): { cell: Cell; image: ImageInfo }[] {
  if (!session.linked.peek()) return [];
  return session.cells.peek().flatMap((other) => {
    const image = other === cell ? null : session.image(other.image.peek());
    return image ? [{ cell: other, image }] : [];
  });
}

/** Zoom and pan, of one viewport and of those linked to it. */
export function setView(session: Session, cell: Cell, image: ImageInfo, after: View): void {
  const others = followers(session, cell);
  const inMm = [image, ...others.map((other) => other.image)].every((one) => one.spacing_mm !== null);
  const leader = { image, view: viewOf(cell, image), box: cell.box.peek() };
  batch(() => {
    for (const other of others) {
      const follows = { image: other.image, view: viewOf(other.cell, other.image), box: other.cell.box.peek() };
      other.cell.view.value = followView(follows, leader, after, inMm);
    }
    cell.view.value = after;
  });
}

export function fitImage(session: Session): void {
  const cell = session.cell();
  batch(() => {
    for (const one of [cell, ...followers(session, cell).map((other) => other.cell)]) one.view.value = null;
  });
}

export function zoom(session: Session, factor: number): void {
  const cell = session.cell();
  const image = currentImage(session);
  if (!image) return;
  const { width, height } = cell.box.peek();
  setView(session, cell, image, zoomAt(viewOf(cell, image), factor, width / 2, height / 2));
}

export function setWindow(session: Session, cell: Cell, image: ImageInfo, after: Windowing): void {
  const leader = { image, windowing: windowOf(cell), range: cell.range.peek() };
  batch(() => {
    for (const other of followers(session, cell)) {
      if ((other.image.channels === 1) !== (image.channels === 1)) continue;
      const follows = { image: other.image, windowing: windowOf(other.cell), range: other.cell.range.peek() };
      other.cell.windowing.value = followWindow(follows, leader, after);
    }
    cell.windowing.value = after;
  });
}

export function invert(session: Session): void {
  const image = currentImage(session);
  const windowing = windowOf(session.cell());
  if (image) setWindow(session, session.cell(), image, { ...windowing, invert: !windowing.invert });
}

export function preset(session: Session, index: number): void {
  const image = currentImage(session);
  const window = image?.windows[index];
  const cell = session.cell();
  if (image && window) setWindow(session, cell, image, { ...fromFile(window), invert: windowOf(cell).invert });
}

/** Mirrors or turns what the active viewport shows; the point in its middle stays there. Never linked. */
export function turn(session: Session, by: Turning): void {
  const cell = session.cell();
  const image = currentImage(session);
  if (!image) return;
  const view = cell.view.peek();
  batch(() => {
    cell.orientation.value = turned(cell.orientation.peek(), by);
    if (!view) return;
    const [aspect, box] = [pixelAspect(image.spacing_mm), cell.box.peek()];
    cell.view.value = centredOn({ ...view, ...cell.orientation.peek() }, aspect, centreOf(view, aspect, box), box);
  });
}

export function goToFrame(session: Session, frame: number, cell = session.cell()): void {
  const image = session.image(cell.image.peek());
  if (!image) return;
  const by = Math.min(image.frames - 1, Math.max(0, frame)) - cell.frame.peek();
  batch(() => {
    for (const other of [{ cell, image }, ...followers(session, cell)]) {
      if (other.image.frames < 2) continue;
      other.cell.playing.value = false;
      other.cell.frame.value = Math.min(other.image.frames - 1, Math.max(0, other.cell.frame.peek() + by));
    }
  });
}

/** Another frame of a viewport and of those linked to it; stops at both ends. */
export function stepFrame(session: Session, by: number, cell = session.cell()): void {
  goToFrame(session, cell.frame.peek() + by, cell);
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

export function togglePlaying(session: Session): void {
  const cell = session.cell();
  if ((currentImage(session)?.frames ?? 1) > 1) cell.playing.value = !cell.playing.peek();
}
