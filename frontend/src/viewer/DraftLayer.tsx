import type { ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import type { ImageInfo, ShapeGeometry } from "../api/types";
import { crossesItself } from "../geometry/outline";
import type { Board } from "../state/board";
import type { Cell } from "../state/cells";
import { colours } from "./looks";
import { lengthText } from "./measure";
import { Outline } from "./Outline";
import { pixelAspect, toScreen, type View } from "./transform";

interface Props {
  board: Board;
  cell: Cell;
  image: ImageInfo;
  draft: ReadonlySignal<ShapeGeometry | null>;
  view: ReadonlySignal<View>;
  matrix: ReadonlySignal<string>;
}

/** What is under the hand: the shape of a drag, or a polygon that is not closed yet. */
export function DraftLayer({ board, cell, image, draft, view, matrix }: Props): JSX.Element | null {
  const trace = board.trace.value;
  const isHere = trace?.image === image.number && trace.frame === cell.frame.value;
  const shape = draft.value ?? (isHere ? openPath([...trace.points, ...(trace.next ? [trace.next] : [])]) : null);
  if (!shape) return null;
  const project = (x: number, y: number): [number, number] => toScreen(view.value, pixelAspect(image.spacing_mm), x, y);
  const isTrace = draft.value === null && isHere;
  const isCrossing = isTrace && trace.points.length > 3 && crossesItself({ points: [...trace.points] });
  return (
    <g class="roi sel drawing" style={colours(board, board.label.value)}>
      <g transform={matrix}>
        <Outline roi={shape} />
      </g>
      {isTrace &&
        trace.points.map((point, index) => {
          const [x, y] = project(...point);
          const isFirst = index === 0 && trace.points.length > 2;
          return <circle key={index} class={`hd${isFirst ? " first" : ""}`} cx={x} cy={y} r={isFirst ? 6 : 3} />;
        })}
      {isCrossing && <Words at={project(...(trace.points.at(-1) ?? [0, 0]))} text="crosses itself" look="flag" />}
      {shape.shape === "line" && !isTrace && (
        <Words at={project(...(shape.geometry.points.at(-1) ?? [0, 0]))} text={lengthText(shape.geometry, image)} />
      )}
    </g>
  );
}

function openPath(points: [number, number][]): ShapeGeometry | null {
  return points.length ? { shape: "line", geometry: { points } } : null;
}

function Words({ at: [x, y], text, look = "" }: { at: [number, number]; text: string; look?: string }): JSX.Element {
  return (
    <text class={`said ${look}`} x={x + 10} y={y - 8}>
      {text}
    </text>
  );
}
