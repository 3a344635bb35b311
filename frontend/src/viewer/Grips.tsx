import type { ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import type { Roi } from "../api/types";
import { type Grip, gripsOf } from "../geometry/handles";
import type { Board } from "../state/board";
import { hoverOf } from "./looks";
import { Outline } from "./Outline";
import { toScreen, type View } from "./transform";

interface Props {
  board: Board;
  roi: Roi;
  view: ReadonlySignal<View>;
  aspect: number;
  matrix: ReadonlySignal<string>;
}

/**
 * What the pointer takes hold of: over all other regions, so that the selected one can be moved where others cover it.
 * Apart from the region itself, whose place among the others, and with it the focus, stays.
 */
export function Grips({ board, roi, view, aspect, matrix }: Props): JSX.Element {
  const now = view.value;
  const isTurned = now.turn % 2 === 1 || now.flip;
  return (
    <g class={`roi grip${isTurned ? " turned" : ""}`} data-grip={roi.id} {...hoverOf(board, roi.id)}>
      <g transform={matrix}>
        <Outline roi={roi} />
      </g>
      {gripsOf(roi, now.scale).map((grip) => (
        <Knob key={grip.id} grip={grip} at={toScreen(now, aspect, ...grip.at)} />
      ))}
    </g>
  );
}

/** Squares resize and move corners, small discs make a new corner, a disc turns. */
function Knob({ grip, at: [x, y] }: { grip: Grip; at: [number, number] }): JSX.Element {
  const look = `hd ${grip.kind} ${grip.id}`;
  switch (grip.kind) {
    case "resize":
    case "corner":
      return <rect class={look} data-handle={grip.id} x={x - 4} y={y - 4} width="8" height="8" />;
    case "turn":
      return <circle class={look} data-handle={grip.id} cx={x} cy={y} r="5" />;
    case "insert":
      return <circle class={look} data-handle={grip.id} cx={x} cy={y} r="3" />;
  }
}
