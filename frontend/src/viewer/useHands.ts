import type { JSX, RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Point } from "../geometry/types";
import { viewOf } from "../state/cells";
import { setView, stepFrame } from "../state/viewing";
import { focusRoi } from "../tools/focus";
import { hoverBrush } from "../tools/painting";
import { roiUnder, startDrag } from "../tools/pointer";
import { pinched } from "../tools/touch";
import { hoverTrace } from "../tools/tracing";
import { panning } from "../tools/viewdrags";
import type { Drag, Where } from "../tools/where";
import { zoomAt } from "./transform";

type Hands = Pick<
  JSX.HTMLAttributes<HTMLDivElement>,
  "onPointerDown" | "onPointerMove" | "onPointerUp" | "onPointerCancel" | "onPointerLeave"
>;

/** Once a pen has drawn, a finger of the hand that holds it pans and draws nothing. */
let hasPen = false;

/** Mouse, pen, fingers and wheel over one viewport. */
export function useHands(surface: RefObject<HTMLDivElement>, where: Where): Hands {
  const drag = useRef<Drag | null>(null);
  const fingers = useRef(new Map<number, Point>());
  const { board, cell, image } = where;

  const at = (event: MouseEvent): Point => {
    const box = (surface.current as HTMLDivElement).getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const finish = (cancelled: boolean): void => {
    drag.current?.end(cancelled);
    drag.current = null;
  };
  const lift = (event: PointerEvent, cancelled: boolean): void => {
    // The finger that stays after a pinch does nothing more.
    if (fingers.current.delete(event.pointerId) && fingers.current.size > 0) return;
    finish(cancelled);
  };
  const begin = (event: PointerEvent): Drag | null => {
    hasPen ||= event.pointerType === "pen";
    if (event.pointerType !== "touch") return drag.current ?? startDrag(where, event, ...at(event));
    fingers.current.set(event.pointerId, at(event));
    if (fingers.current.size > 1) {
      finish(true);
      return pinching(where, fingers.current);
    }
    return hasPen ? panning(where, ...at(event)) : startDrag(where, event, ...at(event));
  };

  useEffect(() => {
    // Not through JSX: a wheel listener has to say that it is not passive.
    const element = surface.current as HTMLDivElement;
    const wheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !board.takesWheel) return;
      event.preventDefault();
      if (event.ctrlKey || image.frames < 2)
        setView(board, cell, image, zoomAt(viewOf(cell, image), 1.0015 ** -event.deltaY, ...at(event)));
      else stepFrame(board, Math.sign(event.deltaY), cell);
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  });
  useEffect(() => {
    const cancelOnEscape = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || !drag.current) return;
      // Before the page's own keys, for which Escape then means nothing more.
      event.preventDefault();
      finish(true);
    };
    window.addEventListener("keydown", cancelOnEscape, { capture: true });
    return () => window.removeEventListener("keydown", cancelOnEscape, { capture: true });
  }, []);

  return {
    onPointerDown: (event) => {
      // A second finger or pen begins nothing while the first one draws; two fingers pinch.
      if (drag.current && event.pointerType !== "touch") return;
      const over = roiUnder(board, event);
      drag.current = begin(event);
      if (!drag.current) return;
      event.preventDefault();
      takeFocus(over);
      surface.current?.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event) => {
      if (fingers.current.has(event.pointerId)) fingers.current.set(event.pointerId, at(event));
      if (drag.current) drag.current.move(...at(event), event);
      else {
        hoverTrace(where, ...at(event));
        if (event.pointerType !== "touch") hoverBrush(where, ...at(event));
      }
    },
    onPointerLeave: () => {
      if (!drag.current && board.stroke.peek()) board.stroke.value = null;
    },
    onPointerUp: (event) => lift(event, false),
    onPointerCancel: (event) => lift(event, true),
  };
}

/** Two fingers zoom and pan, from where the second one came down. */
function pinching(where: Where, fingers: ReadonlyMap<number, Point>): Drag {
  const { board, cell, image } = where;
  const two = (): [Point, Point] => [...fingers.values()].slice(0, 2) as [Point, Point];
  let before = two();
  return {
    move() {
      const now = two();
      if (now.length < 2) return;
      setView(board, cell, image, pinched(viewOf(cell, image), before, now));
      before = now;
    },
    end: () => undefined,
  };
}

/** The region under the pointer gets the focus; else whoever had it loses it, so that keys are keys and not letters. */
function takeFocus(id: string | undefined): void {
  if (id !== undefined && focusRoi(id)) return;
  if (document.activeElement instanceof HTMLElement || document.activeElement instanceof SVGElement)
    document.activeElement.blur();
}
