// Whether somebody sits at the page: a case is not kept from others, nor taken, for an empty chair.

export const AWAY_MS = 15 * 60_000;
const SIGNS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"] as const;

let lastSign = 0;

export function isAnybodyHere(): boolean {
  return performance.now() - lastSign < AWAY_MS;
}

/** Notes each sign of life; `back` is called with the first one after a long absence. The answer ends it. */
export function watchPresence(back: () => void): () => void {
  const sign = (): void => {
    const wasAway = !isAnybodyHere();
    lastSign = performance.now();
    if (wasAway) back();
  };
  lastSign = performance.now();
  for (const kind of SIGNS) window.addEventListener(kind, sign, { capture: true, passive: true });
  window.addEventListener("focus", sign);
  return () => {
    for (const kind of SIGNS) window.removeEventListener(kind, sign, { capture: true });
    window.removeEventListener("focus", sign);
  };
}
