import { labelWithKey, nudge, removeRoi, stepRoi } from "../state/act";
import type { Board } from "../state/board";
import type { Tool } from "../state/cells";
import { focusRoi } from "./focus";
import type { Key, Press } from "./keymap";
import { isBrush, resizeBrush } from "./painting";
import { cancelTrace, closeTrace, dropCorner } from "./tracing";

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
export const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function tool(name: Tool, letter: string, words: string): Key<Board> {
  const run = (board: Board): boolean => {
    if (!board.tools.includes(name)) return false;
    board.tool.value = name;
    return true;
  };
  return { id: `tool-${name}`, keys: letter, group: "Tools", words, strokes: [letter], run };
}

function isText(target: EventTarget | null): boolean {
  return target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement;
}

/** What an open polygon takes for itself before a key means anything else. */
function trace(
  id: string,
  keys: string,
  words: string,
  strokes: readonly string[],
  act: Key<Board>["run"],
): Key<Board> {
  const run: Key<Board>["run"] = (board, pressed) => !isText(pressed.target) && act(board, pressed);
  return { id: `polygon-${id}`, keys, group: "Tools", words, strokes, run };
}

function nudgeFocused(board: Board, { stroke, target }: Press): boolean {
  const roi = target instanceof Element ? target.closest<SVGElement>("[data-roi]")?.dataset.roi : undefined;
  const [dx, dy] = ARROWS[stroke.replace("Shift+", "")] ?? [0, 0];
  const far = stroke.startsWith("Shift+") ? 10 : 1;
  if (roi) nudge(board, roi, dx * far, dy * far);
  return roi !== undefined;
}

function toRoi(board: Board, { stroke }: Press): boolean {
  stepRoi(board, stroke === "n" ? 1 : -1);
  const selected = board.selected.peek();
  if (selected) requestAnimationFrame(() => focusRoi(selected));
  return true;
}

function deleteSelected(board: Board): boolean {
  const selected = board.selected.peek();
  if (selected) removeRoi(board, selected);
  return selected !== null;
}

function deselect(board: Board): boolean {
  if (cancelTrace(board)) return true;
  board.selected.value = null;
  return true;
}

function label(board: Board, { stroke }: Press): boolean {
  labelWithKey(board, stroke);
  return true;
}

export const TOOL_KEYS: readonly Key<Board>[] = [
  tool("select", "v", "select, move and resize"),
  tool("window", "w", "window and level by dragging"),
  tool("box", "r", "box"),
  tool("ellipse", "o", "ellipse; Shift a circle, Alt from its centre"),
  tool("polygon", "p", "polygon by clicks"),
  tool("freehand", "f", "freehand outline"),
  tool("brush", "b", "brush: paints a region, or on to the selected one; Shift erases"),
  tool("eraser", "e", "eraser of painted regions; Shift paints"),
  {
    id: "brush-size",
    keys: "[  ]",
    group: "Tools",
    words: "narrower, wider brush",
    strokes: ["[", "]"],
    run: (board, { stroke }) => {
      if (isBrush(board)) resizeBrush(board, stroke === "]" ? 1 : -1);
      return isBrush(board);
    },
  },
  tool("line", "m", "line with its length"),
  tool("point", "k", "point"),
  trace("close", "Enter, double click", "close the polygon", ["Enter"], closeTrace),
  trace(
    "corner",
    "Backspace, Ctrl z",
    "take the last corner of an open polygon back",
    ["Backspace", "Ctrl+z"],
    dropCorner,
  ),
  trace("remove-corner", "Alt click", "take a corner out, or add one on an edge", [], () => false),
  { id: "label", keys: "1 to 9", group: "Tools", words: "label of the selected ROI", strokes: DIGITS, run: label },
  {
    id: "nudge",
    keys: "Arrows, Shift + arrows",
    group: "Tools",
    words: "move the focused ROI by 1 or 10 px",
    strokes: Object.keys(ARROWS).flatMap((arrow) => [arrow, `Shift+${arrow}`]),
    run: nudgeFocused,
  },
  { id: "roi", keys: "n, Shift n", group: "Tools", words: "next, previous ROI", strokes: ["n", "Shift+n"], run: toRoi },
  {
    id: "delete",
    keys: "Delete",
    group: "Tools",
    words: "delete the selected ROI",
    strokes: ["Delete", "Backspace"],
    run: deleteSelected,
  },
  { id: "escape", keys: "Esc", group: "Tools", words: "cancel, then deselect", strokes: ["Escape"], run: deselect },
];
