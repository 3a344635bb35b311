import type { Session } from "../state/session";
import { strokesOf } from "./bindings";
import { READING_KEYS } from "./readingkeys";
import { TOOL_KEYS } from "./toolkeys";
import { VIEW_KEYS } from "./viewkeys";

/** One key press: its stroke as `strokeOf` names it, and what had the focus. */
export interface Press {
  stroke: string;
  target: EventTarget | null;
}

/** One thing that a hand can do. */
export interface Key<S = Session> {
  /** Never changes: a reader's own keys are kept by it. */
  id: string;
  /** As the help writes it. */
  keys: string;
  group: "Tools" | "Image" | "Reading" | "Review";
  words: string;
  /** The strokes that do it; none for what only a pointer does. */
  strokes: readonly string[];
  /** Whether it did anything: else the next entry with the same stroke is asked. */
  run: (on: S, press: Press) => boolean;
}

/** Everything that `?` lists and that keys do. Of entries with one stroke the first that can act does. */
export const KEYMAP: readonly Key[] = [...TOOL_KEYS, ...VIEW_KEYS, ...READING_KEYS];

/** What keys do over a reading that is submitted: look, and go on. */
const LOOKED_AT: readonly Key[] = [
  ...TOOL_KEYS.filter(({ id }) => ["tool-select", "tool-window", "roi", "escape"].includes(id)),
  ...VIEW_KEYS,
  ...READING_KEYS.filter(({ id }) => ["submit", "help"].includes(id)),
];

/**
 * The name of a stroke: `Ctrl+` and `Shift+` before the key. Digits are told by where they lie, since Shift makes other
 * signs of them; other signs (`?`, `+`) stand for themselves, since layouts differ in where Shift is needed.
 */
export function strokeOf(event: Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "shiftKey">): string {
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code)?.[1];
  const isLetter = /^\p{L}$/u.test(event.key);
  const key = digit ?? (isLetter ? event.key.toLowerCase() : event.key);
  const isNamed = digit !== undefined || isLetter || event.key.length > 1;
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.shiftKey && isNamed ? "Shift+" : ""}${key}`;
}

/** Does what the stroke stands for; false if nothing has it or nothing could be done. */
export function press(session: Session, pressed: Press): boolean {
  return pressIn(session.isLocked ? LOOKED_AT : KEYMAP, session, pressed);
}

export function pressIn<S>(keymap: readonly Key<S>[], on: S, pressed: Press): boolean {
  return keymap.some((key) => strokesOf(key).includes(pressed.stroke) && key.run(on, pressed));
}
