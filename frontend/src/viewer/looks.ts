import type { JSX } from "preact";
import type { Roi } from "../api/types";
import type { Board } from "../state/board";
import { labelName } from "../state/labels";

/** Colour and line of a label, for a shape's group. */
export function colours(board: Board, label: string | null): JSX.CSSProperties {
  const look = board.lookOf(label);
  return { "--c": look.colour, "--d": look.dash } as JSX.CSSProperties;
}

/** What is dimmed: every other region while one is under the pointer, on the image or in a list. */
export function dimClass(board: Board, id: string): string {
  const lit = board.hovered.value;
  return lit.size > 0 && !lit.has(id) ? " dim" : "";
}

export function hoverOf(
  board: Board,
  id: string,
): Pick<JSX.SVGAttributes<SVGGElement>, "onPointerEnter" | "onPointerLeave"> {
  return {
    onPointerEnter: () => {
      board.hovered.value = new Set([id]);
    },
    onPointerLeave: () => {
      board.hovered.value = new Set();
    },
  };
}

/** A region's label, for tags. */
export function nameOf(board: Board, roi: Roi): string {
  return labelName(roi.label, board.labels);
}
