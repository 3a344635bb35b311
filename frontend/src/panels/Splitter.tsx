import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { remember } from "../state/prefs";
import type { Session } from "../state/session";

export const LEAST_PX = 300;
export const MOST_PX = 720;
const STEP_PX = 16;

function within(width: number): number {
  // The images keep the larger part of the page.
  const most = Math.min(MOST_PX, Math.round(window.innerWidth * 0.55));
  return Math.round(Math.min(most, Math.max(LEAST_PX, width)));
}

/** The edge of the right-hand panel: dragged, or moved by arrows; a double press gives the first width back. */
export function Splitter({ session }: { session: Session }): JSX.Element {
  const edge = useRef<HTMLDivElement>(null);
  const width = (): number => session.panelWidth.peek() ?? edge.current?.parentElement?.clientWidth ?? LEAST_PX;
  const put = (next: number | null): void => {
    session.panelWidth.value = next === null ? null : within(next);
    remember(session.data.user.id, "panel-width", session.panelWidth.peek() ?? 0);
  };
  const keys = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: STEP_PX, ArrowRight: -STEP_PX }[event.key];
    if (by === undefined && event.key !== "Home") return;
    put(by === undefined ? null : width() + by);
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      ref={edge}
      class="splitter"
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the reading panel"
      aria-valuemin={LEAST_PX}
      aria-valuemax={MOST_PX}
      aria-valuenow={session.panelWidth.value ?? 396}
      tabIndex={0}
      title="Drag to resize, double-click for the first width"
      onKeyDown={keys}
      onDblClick={() => put(null)}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        event.preventDefault();
      }}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) put(window.innerWidth - event.clientX);
      }}
    />
  );
}
