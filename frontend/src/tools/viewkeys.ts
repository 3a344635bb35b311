import type { Board } from "../state/board";
import {
  fitImage,
  goToFrame,
  invert,
  preset,
  stepCell,
  stepFrame,
  stepImage,
  togglePlaying,
  turn,
  zoom,
} from "../state/viewing";
import type { Key, Press } from "./keymap";

/** An entry that always acts. */
function does(
  id: string,
  keys: string,
  words: string,
  strokes: readonly string[],
  act: (board: Board, press: Press) => void,
): Key<Board> {
  const run = (board: Board, press: Press): boolean => {
    act(board, press);
    return true;
  };
  return { id, keys, group: "Image", words, strokes, run };
}

/** What only a pointer does, for the help. */
function hand(id: string, keys: string, words: string): Key<Board> {
  return { id, keys, group: "Image", words, strokes: [], run: () => false };
}

const SHIFTED_DIGITS = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => `Shift+${digit}`);

export const VIEW_KEYS: readonly Key<Board>[] = [
  hand("pan", "Middle drag", "pan"),
  hand("touch", "Two fingers", "zoom and pan; a pen draws, then one finger pans"),
  hand("zoom-drag", "Right drag, Ctrl wheel", "zoom"),
  does("fit", "=", "fit", ["="], fitImage),
  does("zoom", "+  −", "zoom in, zoom out", ["+", "-"], (board, { stroke }) =>
    zoom(board, stroke === "+" ? 1.25 : 0.8),
  ),
  does("preset", "Shift 1 to 9", "window presets of the file", SHIFTED_DIGITS, (board, { stroke }) =>
    preset(board, Number(stroke.slice(-1)) - 1),
  ),
  does("invert", "i", "invert", ["i"], invert),
  does("flip-across", "Shift h", "flip left to right", ["Shift+h"], (board) => turn(board, "horizontal")),
  does("flip-down", "Shift v", "flip top to bottom", ["Shift+v"], (board) => turn(board, "vertical")),
  does("turn-right", "Shift r", "turn a quarter right", ["Shift+r"], (board) => turn(board, "right")),
  does("turn-left", "Shift l", "turn a quarter left", ["Shift+l"], (board) => turn(board, "left")),
  does("link", "l", "link or free zoom, pan, window and frames of all viewports", ["l"], (board) => {
    board.linked.value = !board.linked.peek();
  }),
  does("frame", "Wheel, ↑ ↓  ,  .", "frames", ["ArrowUp", "ArrowDown", ",", "."], (board, { stroke }) =>
    stepFrame(board, stroke === "ArrowUp" || stroke === "," ? -1 : 1),
  ),
  does("first-frame", "Home, End", "first, last frame", ["Home", "End"], (board, { stroke }) =>
    goToFrame(board, stroke === "Home" ? 0 : Number.MAX_SAFE_INTEGER),
  ),
  does("play", "Space", "play or pause", [" "], togglePlaying),
  does("image", "PgUp, PgDn", "previous, next image", ["PageUp", "PageDown"], (board, { stroke }) =>
    stepImage(board, stroke === "PageUp" ? -1 : 1),
  ),
  does("viewport", "← →", "previous, next viewport", ["ArrowLeft", "ArrowRight"], (board, { stroke }) =>
    stepCell(board, stroke === "ArrowLeft" ? -1 : 1),
  ),
  does("overlays", "` held", "hide all overlays", ["`"], (board) => {
    board.overlays.value = false;
  }),
];
