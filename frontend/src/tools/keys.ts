import type { Session } from "../state/session";
import { press, strokeOf } from "./keymap";
import { answer } from "./readingkeys";

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["radio", "checkbox", "button", "range"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target.isContentEditable;
}

/** Controls that use a key themselves: a button its Space and Enter, radios, sliders and selects their arrows. */
export function isTakenBy(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLSelectElement) return !["Escape"].includes(key);
  if (target instanceof HTMLInputElement)
    return key.startsWith("Arrow") || ["Home", "End", "PageUp", "PageDown", " "].includes(key);
  return (target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement) && [" ", "Enter"].includes(key);
}

/** Keys of which holding them down is one press. */
const ONCE: readonly string[] = ["Ctrl+Enter"];

export function bindKeys(session: Session): () => void {
  let awaitsAnswer = false;
  const down = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.altKey) return;
    if (session.dialog.peek() !== null) return;
    const stroke = strokeOf(event);
    const pressed = { stroke, target: event.target };
    let used: boolean;
    if (event.repeat && ONCE.includes(stroke)) used = true;
    else if (event.ctrlKey || event.metaKey) used = press(session, pressed);
    else if (isTyping(event.target)) used = event.key === "Escape" && leave(event.target);
    else if (isTakenBy(event.target, event.key)) used = false;
    else if (awaitsAnswer) used = answer(session, event.key);
    else used = press(session, pressed);
    awaitsAnswer = used && stroke === "a" && !awaitsAnswer;
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
