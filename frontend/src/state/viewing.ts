import { batch } from "@preact/signals";
import type { ImageInfo } from "../api/types";
import { followView, followWindow } from "../viewer/linked";
import { fromFile, type Windowing } from "../viewer/lut";
import { centredOn, centreOf, pixelAspect, type Turning, turned, type View, zoomAt } from "../viewer/transform";
import type { Board } from "./board";
import { type Cell, viewOf, windowOf } from "./cells";

// What is looked at and how; nothing here is part of the reading or of its undo.

export function currentImage(board: Board): ImageInfo | null {
  return board.image(board.cell().image.value);
}

/** Every viewport that follows a cell, with its image; none while the view is free. */
function followers(board: Board, cell: Cell): { cell: Cell; image: ImageInfo }[] {
  if (!board.linked.peek()) return [];
  return board.cells.peek().flatMap((other) => {
    const image = other === cell ? null : board.image(other.image.peek());
    return image ? [{ cell: other, image }] : [];
  });
}

/** Zoom and pan, of one viewport and of those linked to it. */
export function setView(board: Board, cell: Cell, image: ImageInfo, after: View): void {
  const others = followers(board, cell);
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

export function fitImage(board: Board): void {
  const cell = board.cell();
  batch(() => {
    for (const one of [cell, ...followers(board, cell).map((other) => other.cell)]) one.view.value = null;
  });
}

export function zoom(board: Board, factor: number): void {
  const cell = board.cell();
  const image = currentImage(board);
  if (!image) return;
  const { width, height } = cell.box.peek();
  setView(board, cell, image, zoomAt(viewOf(cell, image), factor, width / 2, height / 2));
}

export function setWindow(board: Board, cell: Cell, image: ImageInfo, after: Windowing): void {
  const leader = { image, windowing: windowOf(cell), range: cell.range.peek() };
  batch(() => {
    for (const other of followers(board, cell)) {
      if ((other.image.channels === 1) !== (image.channels === 1)) continue;
      const follows = { image: other.image, windowing: windowOf(other.cell), range: other.cell.range.peek() };
      other.cell.windowing.value = followWindow(follows, leader, after);
    }
    cell.windowing.value = after;
  });
}

export function invert(board: Board): void {
  const image = currentImage(board);
  const windowing = windowOf(board.cell());
  if (image) setWindow(board, board.cell(), image, { ...windowing, invert: !windowing.invert });
}

export function preset(board: Board, index: number): void {
  const image = currentImage(board);
  const window = image?.windows[index];
  const cell = board.cell();
  if (image && window) setWindow(board, cell, image, { ...fromFile(window), invert: windowOf(cell).invert });
}

/** Mirrors or turns what the active viewport shows; the point in its middle stays there. Never linked. */
export function turn(board: Board, by: Turning): void {
  const cell = board.cell();
  const image = currentImage(board);
  if (!image) return;
  const view = cell.view.peek();
  batch(() => {
    cell.orientation.value = turned(cell.orientation.peek(), by);
    if (!view) return;
    const [aspect, box] = [pixelAspect(image.spacing_mm), cell.box.peek()];
    cell.view.value = centredOn({ ...view, ...cell.orientation.peek() }, aspect, centreOf(view, aspect, box), box);
  });
}

export function goToFrame(board: Board, frame: number, cell = board.cell()): void {
  const image = board.image(cell.image.peek());
  if (!image) return;
  const by = Math.min(image.frames - 1, Math.max(0, frame)) - cell.frame.peek();
  batch(() => {
    for (const other of [{ cell, image }, ...followers(board, cell)]) {
      if (other.image.frames < 2) continue;
      other.cell.playing.value = false;
      other.cell.frame.value = Math.min(other.image.frames - 1, Math.max(0, other.cell.frame.peek() + by));
    }
  });
}

/** Another frame of a viewport and of those linked to it; stops at both ends. */
export function stepFrame(board: Board, by: number, cell = board.cell()): void {
  goToFrame(board, cell.frame.peek() + by, cell);
}

export function stepImage(board: Board, by: number): void {
  const numbers = board.images.peek().map((image) => image.number);
  const at = numbers.indexOf(board.cell().image.peek() ?? -1);
  const next = numbers[Math.min(numbers.length - 1, Math.max(0, at + by))];
  if (next !== undefined) board.show(next);
}

export function stepCell(board: Board, by: number): void {
  const count = board.cells.peek().length;
  board.activeCell.value = (board.activeCell.peek() + by + count) % count;
}

export function togglePlaying(board: Board): void {
  const cell = board.cell();
  if ((currentImage(board)?.frames ?? 1) > 1) cell.playing.value = !cell.playing.peek();
}
