import { batch, useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { ImageInfo, ShapeGeometry } from "../api/types";
import type { Board } from "../state/board";
import { type Cell, viewOf, windowOf } from "../state/cells";
import { Corners } from "./Corners";
import { Overlay, type Under } from "./Overlay";
import { Screen } from "./screen";
import { resized } from "./transform";
import { useFrame } from "./useFrame";
import { useHands } from "./useHands";

interface Props {
  board: Board;
  cell: Cell;
  under?: Under | undefined;
}

export function Viewport({ board, cell, index, under }: Props & { index: number }): JSX.Element {
  const image = board.image(cell.image.value);
  const isOver = useSignal(false);
  const isActive = board.activeCell.value === index;
  const name = image ? `Image ${image.number}, ${image.view || image.modality || "image"}` : "No image";
  return (
    <section
      class={`vp${isActive ? " active" : ""}${isOver.value ? " drop" : ""}`}
      aria-label={name}
      aria-current={isActive}
      data-viewport={index}
      data-image={image?.number}
      data-frame={cell.frame.value}
      onDragOver={(event) => {
        event.preventDefault();
        isOver.value = true;
      }}
      onDragLeave={() => (isOver.value = false)}
      onDrop={(event) => {
        event.preventDefault();
        isOver.value = false;
        const number = Number(event.dataTransfer?.getData("text/plain"));
        if (board.image(number)) board.show(number, undefined, index);
      }}
      onPointerDownCapture={() => {
        board.activeCell.value = index;
      }}
    >
      {image ? (
        <Pixels key={image.sha256} board={board} cell={cell} image={image} under={under} />
      ) : (
        <p class="none">No image here</p>
      )}
    </section>
  );
}

function Pixels({ board, cell, image, under }: Props & { image: ImageInfo }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const surface = useRef<HTMLDivElement>(null);
  const screen = useRef<Screen | null>(null);
  const draft = useSignal<ShapeGeometry | null>(null);
  const { frame, failure, attempt } = useFrame(board, cell, image);
  const hands = useHands(surface, { board, cell, image, draft });

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
    const shown = frame.value;
    const box = cell.box.value;
    if (!shown || box.width === 0) return;
    screen.current?.draw(image, shown, windowOf(cell), viewOf(cell, image), cell.dragging.value);
  });

  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the pointer draws here; keys and the lists beside do the same */}
      <div
        ref={surface}
        class={`surface tool-${board.tool.value}`}
        data-ready={frame.value !== null}
        onContextMenu={(event) => event.preventDefault()}
        {...hands}
      >
        <canvas ref={canvas} />
        <Overlay board={board} cell={cell} image={image} draft={draft} under={under} />
      </div>
      <Corners board={board} cell={cell} image={image} />
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
