import { toggleCite } from "../state/act";
import { setAnswer } from "../state/edits";
import type { Session } from "../state/session";
import { submitByHand } from "../state/submit";
import type { Key } from "./keymap";

/** An entry that always acts. */
function does(
  id: string,
  keys: string,
  words: string,
  strokes: readonly string[],
  act: (session: Session) => void,
): Key {
  const run = (session: Session): boolean => {
    act(session);
    return true;
  };
  return { id, keys, group: "Reading", words, strokes, run };
}

/** The letter after `a`; false if the case has no such option. */
export function answer(session: Session, key: string): boolean {
  const choice = key.toUpperCase();
  if (!session.handed.peek()?.case.options?.[choice]) return false;
  session.store.change((content) => setAnswer(content, { choice }));
  return true;
}

export const READING_KEYS: readonly Key[] = [
  does("cite", "c", "cite the selected ROI in the active step", ["c"], toggleCite),
  does("answer", "a, then a letter", "answer", ["a"], () => undefined),
  does("undo", "Ctrl z", "undo anything, in texts too", ["Ctrl+z"], (session) => session.store.undo()),
  does("redo", "Ctrl Shift z, Ctrl y", "redo", ["Ctrl+Shift+z", "Ctrl+y"], (session) => session.store.redo()),
  does("save", "Ctrl s", "save now", ["Ctrl+s"], (session) => void session.autosave.peek()?.flush()),
  does("submit", "Ctrl Enter", "submit and next", ["Ctrl+Enter"], (session) => void submitByHand(session)),
  does("leave", "Shift x", "leave the case: skip it or give it back", ["Shift+x"], (session) => {
    if (session.handed.peek() && !session.aided) session.dialog.value = "leave";
  }),
  does("help", "?", "these keys", ["?"], (session) => {
    session.dialog.value = "keys";
  }),
];
