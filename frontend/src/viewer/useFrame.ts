import { type Signal, useSignal, useSignalEffect } from "@preact/signals";
import type { ImageInfo } from "../api/types";
import type { Board } from "../state/board";
import type { Cell } from "../state/cells";
import { frameAt } from "./cine";
import { COLOUR_WINDOW, firstWindow } from "./lut";
import type { Frame } from "./paint";

const AHEAD = 12;

export interface Shown {
  frame: Signal<Frame | null>;
  failure: Signal<string | null>;
  /** Counted up to ask once more. */
  attempt: Signal<number>;
}

/** The pixels of the frame that a viewport is at, and those of a cine while it plays. */
export function useFrame(board: Board, cell: Cell, image: ImageInfo): Shown {
  const frame = useSignal<Frame | null>(null);
  const failure = useSignal<string | null>(null);
  const attempt = useSignal(0);

  useSignalEffect(() => {
    const number = cell.frame.value;
    void attempt.value;
    failure.value = null;
    const take = (loaded: Frame): void => {
      if (cell.frame.peek() !== number || cell.image.peek() !== image.number) return;
      if (frame.peek() === null) beginWindow(cell, image, loaded);
      frame.value = loaded;
    };
    const ready = board.frames.peek(image, number);
    if (ready) take(ready);
    else
      board.frames.load(image, number).then(take, (error: unknown) => {
        if (cell.frame.peek() === number) failure.value = error instanceof Error ? error.message : String(error);
      });
    if (image.frames > 1) board.frames.prefetch(image, number + 1, cell.playing.peek() ? AHEAD : 3);
  });

  useSignalEffect(() => {
    if (!cell.playing.value || image.frames < 2) return;
    const from = cell.frame.peek();
    const began = performance.now();
    let asked = 0;
    const tick = (now: number): void => {
      const number = frameAt(from, now - began, image.frame_time_ms, image.frames);
      // A frame that is not here yet is dropped: the last one stays and the clock goes on.
      if (board.frames.peek(image, number)) cell.frame.value = number;
      else board.frames.prefetch(image, number, AHEAD);
      asked = requestAnimationFrame(tick);
    };
    asked = requestAnimationFrame(tick);
    return () => cancelAnimationFrame(asked);
  });

  return { frame, failure, attempt };
}

function beginWindow(cell: Cell, image: ImageInfo, loaded: Frame): void {
  const extent: [number, number] = [loaded.low, loaded.high];
  cell.base.value = image.channels === 1 ? firstWindow(image.windows, image, extent, image.voi_luts) : COLOUR_WINDOW;
  cell.range.value = (extent[1] - extent[0]) * Math.abs(image.slope) || 1;
}
