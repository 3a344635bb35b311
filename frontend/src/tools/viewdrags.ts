import { viewOf, windowOf } from "../state/cells";
import { setView, setWindow } from "../state/viewing";
import { dragged } from "../viewer/lut";
import { pan, zoomAt } from "../viewer/transform";
import type { Drag, Where } from "./where";

export function panning({ board, cell, image }: Where, x: number, y: number): Drag {
  let [lastX, lastY] = [x, y];
  return {
    move(toX, toY) {
      setView(board, cell, image, pan(viewOf(cell, image), toX - lastX, toY - lastY));
      [lastX, lastY] = [toX, toY];
    },
    end: () => undefined,
  };
}

export function zooming({ board, cell, image }: Where, x: number, y: number): Drag {
  const from = viewOf(cell, image);
  return {
    move(_toX, toY) {
      setView(board, cell, image, zoomAt(from, 1.01 ** (y - toY), x, y));
    },
    end: () => undefined,
  };
}

export function windowing({ board, cell, image }: Where, x: number, y: number): Drag {
  const from = windowOf(cell);
  const range = cell.range.peek();
  return {
    move(toX, toY) {
      for (const one of board.cells.peek()) one.dragging.value = true;
      setWindow(board, cell, image, dragged(from, toX - x, toY - y, range));
    },
    end() {
      for (const one of board.cells.peek()) one.dragging.value = false;
    },
  };
}
