import {
  goToFrame,
  invert,
  labelWithKey,
  nudge,
  preset,
  removeRoi,
  stepCell,
  stepFrame,
  stepImage,
  stepRoi,
  toggleCite,
  togglePlaying,
  zoom,
} from "../state/act";
import { setAnswer } from "../state/edits";
import type { Session, Tool } from "../state/session";
import { submitByHand } from "../state/submit";

export interface KeyHint {
  group: string;
  keys: string;
  does: string;
}

/** What `?` lists; the same words as the tools' labels. */
export const KEYS: readonly KeyHint[] = [
  { group: "Tools", keys: "v", does: "select, move and resize" },
  { group: "Tools", keys: "w", does: "window and level by dragging" },
  { group: "Tools", keys: "r", does: "box" },
  { group: "Tools", keys: "1 to 9", does: "label of the selected ROI" },
  { group: "Tools", keys: "Arrows, Shift + arrows", does: "move the focused ROI by 1 or 10 px" },
  { group: "Tools", keys: "n, Shift n", does: "next, previous ROI" },
  { group: "Tools", keys: "Delete", does: "delete the selected ROI" },
  { group: "Tools", keys: "Esc", does: "cancel, then deselect" },
  { group: "Image", keys: "Middle drag", does: "pan" },
  { group: "Image", keys: "Right drag, Ctrl wheel", does: "zoom" },
  { group: "Image", keys: "=  +  −", does: "fit, zoom in, zoom out" },
  { group: "Image", keys: "Shift 1 to 9", does: "window presets of the file" },
  { group: "Image", keys: "i", does: "invert" },
  { group: "Image", keys: "Wheel, ↑ ↓", does: "frames" },
  { group: "Image", keys: "Home, End", does: "first, last frame" },
  { group: "Image", keys: "Space", does: "play or pause" },
  { group: "Image", keys: "PgUp, PgDn", does: "previous, next image" },
  { group: "Image", keys: "← →", does: "previous, next viewport" },
  { group: "Image", keys: "` held", does: "hide all overlays" },
  { group: "Reading", keys: "c", does: "cite the selected ROI in the active step" },
  { group: "Reading", keys: "a, then a letter", does: "answer" },
  { group: "Reading", keys: "Ctrl z, Ctrl Shift z", does: "undo, redo" },
  { group: "Reading", keys: "Ctrl s", does: "save now" },
  { group: "Reading", keys: "Ctrl Enter", does: "submit and next" },
  { group: "Reading", keys: "?", does: "these keys" },
];

const TOOLS: Record<string, Tool> = { v: "select", w: "window", r: "box" };

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["radio", "checkbox", "button", "range"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target.isContentEditable;
}

/** Controls that use a key themselves: a button its Space and Enter, radios, sliders and selects their arrows. */
function isTakenBy(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLSelectElement) return !["Escape"].includes(key);
  if (target instanceof HTMLInputElement)
    return key.startsWith("Arrow") || ["Home", "End", "PageUp", "PageDown", " "].includes(key);
  return (target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement) && [" ", "Enter"].includes(key);
}

export function bindKeys(session: Session): () => void {
  let awaitsAnswer = false;
  const down = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.altKey) return;
    if (session.dialog.peek() !== null) return;
    let used: boolean;
    if (event.ctrlKey || event.metaKey) used = withControl(session, event);
    else if (isTyping(event.target)) used = event.key === "Escape" && leave(event.target);
    else if (isTakenBy(event.target, event.key)) used = false;
    else if (awaitsAnswer) used = answer(session, event.key);
    else used = plain(session, event);
    awaitsAnswer = used && event.key === "a" && !awaitsAnswer;
    if (used) event.preventDefault();
  };
  const up = (event: KeyboardEvent): void => {
    if (event.key === "`") session.overlays.value = true;
  };
  window.addEventListener("keydown", down);
  window.addEventListener("keyup", up);
  return () => {
    window.removeEventListener("keydown", down);
    window.removeEventListener("keyup", up);
  };
}

function leave(target: EventTarget | null): boolean {
  (target as HTMLElement).blur();
  return true;
}

function withControl(session: Session, event: KeyboardEvent): boolean {
  switch (event.key.toLowerCase()) {
    case "z":
      if (event.shiftKey) session.store.redo();
      else session.store.undo();
      return true;
    case "y":
      session.store.redo();
      return true;
    case "s":
      void session.autosave.peek()?.flush();
      return true;
    case "enter":
      // A key held down is one press.
      if (!event.repeat) void submitByHand(session);
      return true;
    default:
      return false;
  }
}

function answer(session: Session, key: string): boolean {
  const choice = key.toUpperCase();
  if (!session.handed.peek()?.case.options?.[choice]) return false;
  session.store.change((content) => setAnswer(content, { choice }));
  return true;
}

function plain(session: Session, event: KeyboardEvent): boolean {
  const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
  if (digit && event.shiftKey) preset(session, Number(digit) - 1);
  else if (digit) labelWithKey(session, digit);
  else if (TOOLS[event.key]) session.tool.value = TOOLS[event.key] as Tool;
  else if (event.key.startsWith("Arrow")) arrow(session, event);
  else return other(session, event.key);
  return true;
}

function arrow(session: Session, event: KeyboardEvent): void {
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
  const roi = event.target instanceof Element ? event.target.closest<SVGElement>("[data-roi]")?.dataset.roi : undefined;
  const far = event.shiftKey ? 10 : 1;
  if (roi) nudge(session, roi, (dx ?? 0) * far, (dy ?? 0) * far);
  else if (dy) stepFrame(session, dy);
  else stepCell(session, dx ?? 0);
}

/** Arrows move what has the focus and Delete takes what is selected: the two are to be the same region. */
function focusSelected(session: Session): void {
  const id = session.selected.peek();
  if (id) document.querySelector<SVGElement>(`[data-roi="${CSS.escape(id)}"]`)?.focus({ preventScroll: true });
}

function other(session: Session, key: string): boolean {
  const selected = session.selected.peek();
  switch (key) {
    case "Escape":
      session.selected.value = null;
      return true;
    case "Delete":
    case "Backspace":
      if (selected) removeRoi(session, selected);
      return selected !== null;
    case " ":
      togglePlaying(session);
      return true;
    case ",":
    case ".":
      stepFrame(session, key === "," ? -1 : 1);
      return true;
    case "Home":
      goToFrame(session, 0);
      return true;
    case "End":
      goToFrame(session, Number.MAX_SAFE_INTEGER);
      return true;
    case "PageUp":
    case "PageDown":
      stepImage(session, key === "PageUp" ? -1 : 1);
      return true;
    case "=":
      zoom(session, null);
      return true;
    case "+":
    case "-":
      zoom(session, key === "+" ? 1.25 : 0.8);
      return true;
    case "i":
      invert(session);
      return true;
    case "n":
    case "N":
      stepRoi(session, key === "n" ? 1 : -1);
      requestAnimationFrame(() => focusSelected(session));
      return true;
    case "`":
      session.overlays.value = false;
      return true;
    case "c":
      toggleCite(session);
      return true;
    case "a":
      return true;
    case "?":
      session.dialog.value = "keys";
      return true;
    default:
      return false;
  }
}
