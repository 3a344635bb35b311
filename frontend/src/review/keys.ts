// Keys of the review page: the images' own while the hand is on them, undo and saving anywhere.
import type { Signal } from "@preact/signals";
import { nudge } from "../state/act";
import type { Board } from "../state/board";
import { type Key, pressIn, strokeOf } from "../tools/keymap";
import { isTakenBy, isTyping } from "../tools/keys";
import { READING_KEYS } from "../tools/readingkeys";
import { ARROWS, TOOL_KEYS } from "../tools/toolkeys";
import { VIEW_KEYS } from "../tools/viewkeys";
import { board, type ReviewBoard } from "./board";
import { autosave } from "./state";
import { showsDifference, showsKeys, showsStaple } from "./view";

const arrows: Key<Board> = {
  id: "nudge",
  keys: "Arrows, Shift + arrows",
  group: "Tools",
  words: "move the selected region by 1 or 10 px",
  strokes: Object.keys(ARROWS).flatMap((arrow) => [arrow, `Shift+${arrow}`]),
  run: (board, { stroke }) => {
    const selected = board.selected.peek();
    const [dx, dy] = ARROWS[stroke.replace("Shift+", "")] ?? [0, 0];
    const far = stroke.startsWith("Shift+") ? 10 : 1;
    if (selected && board.canDraw) nudge(board, selected, dx * far, dy * far);
    return selected !== null;
  },
};

function does(
  id: string,
  keys: string,
  words: string,
  strokes: readonly string[],
  act: (board: Board) => void,
): Key<Board> {
  const run = (board: Board): boolean => {
    act(board);
    return true;
  };
  return { id, keys, group: "Review", words, strokes, run };
}

const flip = (id: string, letter: string, words: string, shown: Signal<boolean>): Key<Board> =>
  does(id, letter, words, [letter], () => {
    shown.value = !shown.peek();
  });

const ANYWHERE: readonly Key<Board>[] = [
  does("undo", "Ctrl z", "undo anything, in texts too", ["Ctrl+z"], ({ store }) => store.undo()),
  does("redo", "Ctrl Shift z, Ctrl y", "redo", ["Ctrl+Shift+z", "Ctrl+y"], ({ store }) => store.redo()),
  does("save", "Ctrl s", "save now", ["Ctrl+s"], () => void autosave.peek()?.flush()),
];

/** What is laid over the images, and the keys themselves. */
const SHOWN: readonly Key<Board>[] = [
  flip("difference", "d", "show where readers differ", showsDifference),
  flip("staple", "t", "show the STAPLE map", showsStaple),
  flip("gold", "g", "show or hide the gold", board.overlays),
];
const HELP = does("help", "?", "these keys", ["?"], () => {
  showsKeys.value = true;
});

const NOT_HERE: readonly string[] = ["nudge", "tool-line", "tool-point"];
const ON_IMAGES: readonly Key<Board>[] = [
  arrows,
  ...TOOL_KEYS.filter(({ id }) => !NOT_HERE.includes(id)),
  ...VIEW_KEYS,
  ...SHOWN,
];

/** Everything that `?` lists here. */
export const REVIEW_KEYMAP: readonly Key<Board>[] = [...ON_IMAGES, ...ANYWHERE, HELP];
/** The reading page's own: a key that is moved is moved on both pages. */
export const OTHER_KEYS = READING_KEYS.filter(({ id }) => !REVIEW_KEYMAP.some((key) => key.id === id));

/** What a key does here; false if it is the page's or the browser's. */
export function reviewKey(board: ReviewBoard, event: KeyboardEvent): boolean {
  const { target } = event;
  if (event.defaultPrevented || event.altKey) return false;
  if (target instanceof Element && target.closest("dialog, #comments-title, .thread, .write")) return false;
  const pressed = { stroke: strokeOf(event), target };
  const isWriting = isTyping(target);
  if (!isWriting && pressIn([HELP], board, pressed)) return true;
  const isFree = board.isInHand.peek() && !isWriting && !isTakenBy(target, event.key);
  if (isFree && pressIn(ON_IMAGES, board, pressed)) return true;
  return board.canDraw && pressIn(ANYWHERE, board, pressed);
}

/** Binds the keys, and tells whether the hand is on `element` by where it pressed or went last. */
export function bindReviewKeys(board: ReviewBoard, element: HTMLElement): () => void {
  const follow = (event: Event): void => {
    board.isInHand.value = event.target instanceof Node && element.contains(event.target);
  };
  const down = (event: KeyboardEvent): void => {
    if (reviewKey(board, event)) event.preventDefault();
  };
  const up = (event: KeyboardEvent): void => {
    if (event.key === "`") board.overlays.value = true;
  };
  window.addEventListener("pointerdown", follow, { capture: true });
  window.addEventListener("focusin", follow);
  window.addEventListener("keydown", down);
  window.addEventListener("keyup", up);
  return () => {
    window.removeEventListener("pointerdown", follow, { capture: true });
    window.removeEventListener("focusin", follow);
    window.removeEventListener("keydown", down);
    window.removeEventListener("keyup", up);
  };
}
