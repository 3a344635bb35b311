import { batch, useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { BoxGeometry, ImageInfo } from "../api/types";
import { type Cell, viewOf, windowOf } from "../state/cells";
import type { Session } from "../state/session";
import { type Drag, roiAt, startDrag } from "../tools/pointer";
import { Corners } from "./Corners";
import { frameAt } from "./cine";
import { COLOUR_WINDOW, firstWindow } from "./lut";
import { Overlay } from "./Overlay";
import type { Frame } from "./paint";
import { Screen } from "./screen";
import { resized, zoomAt } from "./transform";

const AHEAD = 12;

export function Viewport({ session, cell, index }: { session: Session; cell: Cell; index: number }): JSX.Element {
  const image = session.image(cell.image.value);
  const isActive = session.activeCell.value === index;
  const name = image ? `Image ${image.number}, ${image.view || image.modality || "image"}` : "No image";
  return (
    <section
      class={`vp${isActive ? " active" : ""}`}
      aria-label={name}
      data-viewport={index}
      data-image={image?.number}
      data-frame={cell.frame.value}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        const number = Number(event.dataTransfer?.getData("text/plain"));
        if (session.image(number)) session.show(number, 0, index);
      }}
      onPointerDownCapture={() => {
        session.activeCell.value = index;
      }}
    >
      {image ? (
        <Pixels key={image.sha256} session={session} cell={cell} image={image} />
      ) : (
        <p class="none">No image here</p>
      )}
    </section>
  );
}

function Pixels({ session, cell, image }: { session: Session; cell: Cell; image: ImageInfo }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const surface = useRef<HTMLDivElement>(null);
  const screen = useRef<Screen | null>(null);
  const frame = useSignal<Frame | null>(null);
  const failure = useSignal<string | null>(null);
  const attempt = useSignal(0);
  const draft = useSignal<BoxGeometry | null>(null);
  const drag = useRef<Drag | null>(null);

  useEffect(() => {
    const element = surface.current as HTMLDivElement;
    screen.current = new Screen(canvas.current as HTMLCanvasElement);
    const observer = new ResizeObserver(() => {
      const box = { width: element.clientWidth, height: element.clientHeight };
      const view = cell.view.peek();
      batch(() => {
        // What was in the middle stays there when the layout or the window changes.
        if (view) cell.view.value = resized(view, cell.box.peek(), box);
        cell.box.value = box;
      });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [cell]);

  useSignalEffect(() => {
    const number = cell.frame.value;
    void attempt.value;
    failure.value = null;
    const take = (loaded: Frame): void => {
      if (cell.frame.peek() !== number || cell.image.peek() !== image.number) return;
      if (frame.peek() === null) {
        const extent: [number, number] = [loaded.low, loaded.high];
        cell.base.value =
          image.channels === 1 ? firstWindow(image.windows, image, extent, image.voi_luts) : COLOUR_WINDOW;
        cell.range.value = (extent[1] - extent[0]) * Math.abs(image.slope) || 1;
      }
      frame.value = loaded;
    };
    const ready = session.frames.peek(image, number);
    if (ready) take(ready);
    else
      session.frames.load(image, number).then(take, (error: unknown) => {
        if (cell.frame.peek() === number) failure.value = error instanceof Error ? error.message : String(error);
      });
    if (image.frames > 1) session.frames.prefetch(image, number + 1, cell.playing.peek() ? AHEAD : 3);
  });

  useSignalEffect(() => {
    const shown = frame.value;
    const box = cell.box.value;
    if (!shown || box.width === 0) return;
    screen.current?.draw(image, shown, windowOf(cell), viewOf(cell, image), cell.dragging.value);
  });

  useSignalEffect(() => {
    if (!cell.playing.value || image.frames < 2) return;
    const from = cell.frame.peek();
    const began = performance.now();
    let asked = 0;
    const tick = (now: number): void => {
      const number = frameAt(from, now - began, image.frame_time_ms, image.frames);
      // A frame that is not here yet is dropped: the last one stays and the clock goes on.
      if (session.frames.peek(image, number)) cell.frame.value = number;
      else session.frames.prefetch(image, number, AHEAD);
      asked = requestAnimationFrame(tick);
    };
    asked = requestAnimationFrame(tick);
    return () => cancelAnimationFrame(asked);
  });

  const at = (event: MouseEvent): [number, number] => {
    const box = (surface.current as HTMLDivElement).getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const finish = (cancelled: boolean): void => {
    drag.current?.end(cancelled);
    drag.current = null;
  };
  const wheel = (event: WheelEvent): void => {
    event.preventDefault();
    if (event.ctrlKey || image.frames < 2) {
      cell.view.value = zoomAt(viewOf(cell, image), 1.0015 ** -event.deltaY, ...at(event));
      return;
    }
    cell.playing.value = false;
    cell.frame.value = Math.min(image.frames - 1, Math.max(0, cell.frame.peek() + Math.sign(event.deltaY)));
  };
  useEffect(() => {
    // Not through JSX: a wheel listener has to say that it is not passive.
    const element = surface.current as HTMLDivElement;
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

  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the pointer draws here; keys and the lists beside do the same */}
      <div
        ref={surface}
        class={`surface tool-${session.tool.value}`}
        data-ready={frame.value !== null}
        onContextMenu={(event) => event.preventDefault()}
        onPointerDown={(event) => {
          // A second finger or pen begins nothing while the first one draws.
          if (drag.current) return;
          drag.current = startDrag({ session, cell, image, draft }, event, ...at(event));
          if (!drag.current) return;
          event.preventDefault();
          takeFocus(event.target);
          surface.current?.setPointerCapture(event.pointerId);
        }}
        onPointerMove={(event) => drag.current?.move(...at(event), event)}
        onPointerUp={() => finish(false)}
        onPointerCancel={() => finish(true)}
      >
        <canvas ref={canvas} />
        <Overlay session={session} cell={cell} image={image} draft={draft.value} />
      </div>
      <Corners session={session} cell={cell} image={image} />
      {failure.value && (
        <div class="vp-failure" role="alert">
          <span>
            <strong>Image {image.number} did not arrive.</strong> {failure.value}. What you drew is not affected.
          </span>
          <button type="button" class="btn sm" onClick={() => (attempt.value += 1)}>
            Try again
          </button>
        </div>
      )}
    </>
  );
}

/** The region under the pointer gets the focus; else whoever had it loses it, so that keys are keys and not letters. */
function takeFocus(target: EventTarget | null): void {
  const id = target instanceof Element ? roiAt(target) : undefined;
  const roi = id === undefined ? null : document.querySelector<SVGElement>(`[data-roi="${CSS.escape(id)}"]`);
  if (roi) roi.focus({ preventScroll: true });
  else if (document.activeElement instanceof HTMLElement || document.activeElement instanceof SVGElement)
    document.activeElement.blur();
}
