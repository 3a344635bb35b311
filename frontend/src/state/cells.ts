import { type Signal, signal } from "@preact/signals";
import type { Windowing } from "../viewer/lut";
import type { View } from "../viewer/transform";

/** One viewport: what it shows and how. */
export interface Cell {
  image: Signal<number | null>;
  frame: Signal<number>;
  /** Null until the reader zooms or pans: the image is then fitted. */
  view: Signal<View | null>;
  /** Null until the reader changes it: the file's own window. */
  windowing: Signal<Windowing | null>;
  playing: Signal<boolean>;
}

export function newCell(image: number | null): Cell {
  return {
    image: signal(image),
    frame: signal(0),
    view: signal<View | null>(null),
    windowing: signal<Windowing | null>(null),
    playing: signal(false),
  };
}

export function showIn(cell: Cell, image: number | null, frame = 0): void {
  if (cell.image.peek() === image && cell.frame.peek() === frame) return;
  if (cell.image.peek() !== image) {
    cell.view.value = null;
    cell.windowing.value = null;
    cell.playing.value = false;
  }
  cell.image.value = image;
  cell.frame.value = frame;
}
