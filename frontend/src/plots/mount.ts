// Keeps every figure of the page drawn: as it comes, as it is replaced by a live refetch, and as its width changes.
import { draw } from "./draw";
import { specOf } from "./spec";

const SETTLED_MS = 120;

/** Draw a figure anew in place of its last drawing; one that has no width (hidden) waits. */
export function redraw(figure: HTMLElement): void {
  const width = Math.floor(figure.clientWidth);
  const old = figure.querySelector<HTMLElement>(":scope > [data-drawn]");
  const spec = specOf(figure);
  if (!spec || width === 0 || old?.dataset.drawn === String(width)) return;
  const fresh = draw(spec, width);
  if (old) old.replaceWith(fresh);
  else figure.prepend(fresh);
}

/** Draw all figures and keep them drawn. */
export function keepDrawn(page: Document = document): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watched = new WeakSet<Element>();
  const all = (): void => {
    for (const figure of page.querySelectorAll<HTMLElement>("figure[data-plot]")) {
      redraw(figure);
      if (watched.has(figure)) continue;
      watched.add(figure);
      sizes.observe(figure);
    }
  };
  const sizes = new ResizeObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(all, SETTLED_MS);
  });
  all();
  // A callback of this kind runs before the browser paints: a replaced part is never seen without its drawing.
  new MutationObserver(all).observe(page.body, { childList: true, subtree: true });
}
