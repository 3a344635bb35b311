import type { ImageInfo, Roi } from "../api/types";
import { maskOf, stroked } from "../geometry/brush";
import { contains } from "../geometry/shapes";
import type { Point } from "../geometry/types";
import { drawShape, removeRoi } from "../state/act";
import type { Board } from "../state/board";
import { takesShape } from "../state/labels";
import { currentImage } from "../state/viewing";
import { type Drag, imagePoint, type Where } from "./where";

/** A brush at first is this part of the longer side. */
const PART = 1 / 40;
const LEAST_PX = 1;
/** Each press of a bracket makes the brush this much wider or narrower. */
const FACTOR = 1.25;

/** The widest brush on an image: half of its longer side. */
export function widest(image: Pick<ImageInfo, "width" | "height">): number {
  return Math.max(LEAST_PX, Math.round(Math.max(image.width, image.height) / 2));
}

/** The brush's diameter in image pixels: what was chosen, as far as it fits the image. */
export function brushOn(board: Board, image: Pick<ImageInfo, "width" | "height">): number {
  const size = board.brush.value ?? Math.max(2, Math.round(Math.max(image.width, image.height) * PART));
  return Math.min(size, widest(image));
}

/** One step wider (1) or narrower (-1), always by a whole pixel at least. */
export function resizeBrush(board: Board, by: 1 | -1): void {
  const image = currentImage(board);
  if (!image) return;
  const size = brushOn(board, image);
  const next = by > 0 ? Math.max(size + 1, Math.round(size * FACTOR)) : Math.min(size - 1, Math.round(size / FACTOR));
  board.brush.value = Math.min(widest(image), Math.max(LEAST_PX, next));
}

export const isBrush = (board: Board): boolean => ["brush", "eraser"].includes(board.tool.value);

/** The circle that goes with a pointer that is not pressed. */
export function hoverBrush(where: Where, x: number, y: number): void {
  const { board, cell, image } = where;
  if (!isBrush(board) || !board.canDraw) return;
  const at = imagePoint(where, x, y);
  board.stroke.value = { image: image.number, frame: cell.frame.peek(), points: [at], isPressed: false };
}

/**
 * A stroke of the brush or the eraser; Shift swaps them. It changes the selected mask, or another selected shape that it
 * begins on, whose pixels become a mask; else the brush begins a mask of its own, and the eraser takes the mask below it.
 */
export function painting(where: Where, event: PointerEvent, x: number, y: number): Drag | null {
  const { board, cell, image } = where;
  const isErasing = (board.tool.peek() === "eraser") !== event.shiftKey;
  const frame = cell.frame.peek();
  const start = imagePoint(where, x, y);
  const target = targetOf(board, image, frame, start, isErasing);
  if (isErasing && !target) {
    board.tell("The eraser takes from painted regions: there is none here");
    return null;
  }
  if (target && !mayBeMask(board, target)) return null;
  if (!target && board.selected.peek()) board.selected.value = null;
  const points: Point[] = [start];
  const show = (): void => {
    board.stroke.value = { image: image.number, frame, points: [...points], isPressed: true, isErasing };
  };
  show();
  return {
    move(toX, toY) {
      points.push(imagePoint(where, toX, toY));
      show();
    },
    end(cancelled) {
      board.stroke.value = null;
      if (!cancelled) put(board, image, frame, target, { points, radius: brushOn(board, image) / 2 }, isErasing);
    },
  };
}

function targetOf(board: Board, image: ImageInfo, frame: number, at: Point, isErasing: boolean): Roi | null {
  const here = board.rois.peek().filter((roi) => roi.image === image.number && roi.frame === frame);
  const selected = here.find((roi) => roi.id === board.selected.peek());
  const isOpen = selected?.shape === "line" || selected?.shape === "point";
  if (selected && !isOpen && (selected.shape === "mask" || contains(selected, ...at))) return selected;
  if (!isErasing) return null;
  return here.find((roi) => roi.shape === "mask" && contains(roi, ...at)) ?? null;
}

/** A label that takes no masks keeps its region's shape. */
function mayBeMask(board: Board, roi: Roi): boolean {
  const label = board.labels.find((one) => one.id === roi.label);
  if (roi.shape === "mask" || !label || takesShape(label, "mask")) return true;
  board.tell(`${label.name} takes ${label.shapes.join(" or ")}, not a painted region`);
  return false;
}

function put(
  board: Board,
  image: ImageInfo,
  frame: number,
  target: Roi | null,
  stroke: { points: readonly Point[]; radius: number },
  isErasing: boolean,
): void {
  // As it is now: an undo, or another tab's draft, may have changed it or taken it away since the stroke began.
  const present = target && board.rois.peek().find((roi) => roi.id === target.id);
  if (target && !present) return;
  const mask = stroked(present ? maskOf(present, image) : null, stroke, image, isErasing);
  board.store.seal();
  if (target && mask) board.changeRoi(target.id, (roi) => ({ ...roi, shape: "mask", geometry: mask }) as Roi);
  else if (target) removeRoi(board, target.id);
  else if (mask) drawShape(board, image, frame, { shape: "mask", geometry: mask });
  if (target && mask) board.selected.value = target.id;
}
