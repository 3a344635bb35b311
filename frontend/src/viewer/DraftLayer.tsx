import type { ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import type { ImageInfo, ShapeGeometry } from "../api/types";
import { crossesItself } from "../geometry/outline";
import type { Board } from "../state/board";
import type { Cell } from "../state/cells";
import { brushOn, isBrush } from "../tools/painting";
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
/** The brush: its circle, and what it has gone over since it was pressed. */
export function BrushLayer({ board, cell, image, matrix }: Omit<Props, "draft" | "view">): JSX.Element | null {
  const stroke = board.stroke.value;
  if (stroke?.image !== image.number || stroke.frame !== cell.frame.value || !isBrush(board)) return null;
  const [x, y] = stroke.points.at(-1) ?? [0, 0];
  const width = brushOn(board, image);
  const isErasing = stroke.isErasing ?? board.tool.value === "eraser";
  const path = stroke.points.map((point) => point.join(" ")).join("L");
  return (
    <g class={`brush${isErasing ? " erasing" : ""}`} style={colours(board, labelUnder(board))} transform={matrix}>
      {stroke.isPressed && (
        <path class="went" d={`M${path}${stroke.points.length === 1 ? "h0" : ""}`} stroke-width={width} />
      )}
      <circle class="halo" cx={x} cy={y} r={width / 2} />
      <circle class="edge" cx={x} cy={y} r={width / 2} />
    </g>
  );
}

/** The label of what is painted on, else of what is painted next. */
function labelUnder(board: Board): string | null {
  const selected = board.rois.value.find((roi) => roi.id === board.selected.value);
  return selected ? selected.label : board.label.value;
}

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
