import { type Signal, signal } from "@preact/signals";
import type { ImageInfo } from "../api/types";
import { COLOUR_WINDOW, type Windowing } from "../viewer/lut";
import { fitted, type Orientation, pixelAspect, type Size, UPRIGHT, type View } from "../viewer/transform";

export const TOOLS = [
  "select",
  "window",
  "box",
  "ellipse",
  "polygon",
  "freehand",
  "brush",
  "eraser",
  "line",
  "point",
] as const;

export type Tool = (typeof TOOLS)[number];

/** What is left to whoever may only look. */
export const LOOKING: readonly Tool[] = ["select", "window"];

/** A polygon under the hand: its corners so far, and where the pointer would put the next one. */
export interface Trace {
  image: number;
  frame: number;
  points: readonly [number, number][];
  next: [number, number] | null;
}

/** A brush over an image, pressed or not, and where it went since it was pressed; in image pixels. */
export interface BrushStroke {
  image: number;
  frame: number;
  points: readonly [number, number][];
  isPressed: boolean;
  isErasing?: boolean;
}

/** One viewport: what it shows and how. */
export interface Cell {
  image: Signal<number | null>;
  frame: Signal<number>;
  /** Null until the reader zooms or pans: the image is then fitted. */
  view: Signal<View | null>;
  /** Kept when the image is fitted again. */
  orientation: Signal<Orientation>;
  /** Null until the reader changes it: `base`, the file's own window. */
  windowing: Signal<Windowing | null>;
  base: Signal<Windowing>;
  /** Stored values in use, in output units: how far a drag of the window goes. */
  range: Signal<number>;
  playing: Signal<boolean>;
  /** While a window is dragged, large images are painted with fewer pixels. */
  dragging: Signal<boolean>;
  /** The viewport's size in CSS pixels. */
  box: Signal<Size>;
}

export function newCell(image: number | null): Cell {
  return {
    image: signal(image),
    frame: signal(0),
    view: signal<View | null>(null),
    orientation: signal(UPRIGHT),
    windowing: signal<Windowing | null>(null),
    base: signal(COLOUR_WINDOW),
    range: signal(255),
    playing: signal(false),
    dragging: signal(false),
    box: signal<Size>({ width: 0, height: 0 }),
  };
}

export function showIn(cell: Cell, image: number | null, frame = 0): void {
  if (cell.image.peek() === image && cell.frame.peek() === frame) return;
  if (cell.image.peek() !== image) {
    cell.view.value = null;
    cell.orientation.value = UPRIGHT;
    cell.windowing.value = null;
    cell.playing.value = false;
  }
  cell.image.value = image;
  cell.frame.value = frame;
}

export function viewOf(cell: Cell, image: ImageInfo): View {
  return cell.view.value ?? fitted(image, pixelAspect(image.spacing_mm), cell.box.value, cell.orientation.value);
}

export function windowOf(cell: Cell): Windowing {
  return cell.windowing.value ?? cell.base.value;
}
