import { type ReadonlySignal, useComputed, useSignalEffect } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useMemo, useRef } from "preact/hooks";
import type { ImageInfo, Roi, ShapeGeometry } from "../api/types";
import type { Board } from "../state/board";
import { type Cell, viewOf } from "../state/cells";
import { BrushLayer, DraftLayer } from "./DraftLayer";
import { Grips } from "./Grips";
import { colours, dimClass, hoverOf } from "./looks";
import { Outline } from "./Outline";
import { Tag } from "./Tag";
import { matrixOf, pixelAspect, type View } from "./transform";
import { useProjection } from "./useProjection";

/** Where something is laid on a frame: `matrix` takes image pixels to the screen. */
export interface Laid {
  image: ImageInfo;
  frame: number;
  view: ReadonlySignal<View>;
  matrix: ReadonlySignal<string>;
}

/** What lies on a frame below the regions. */
export type Under = (at: Laid) => ComponentChildren;

interface Props {
  board: Board;
  cell: Cell;
  image: ImageInfo;
  draft: ReadonlySignal<ShapeGeometry | null>;
  under?: Under | undefined;
}

/**
 * Regions over the image: shapes in one group that the view transforms, tags and handles in screen pixels. A pan or zoom
 * sets attributes through signals and renders nothing anew; above that lies what is in the hand, which is always exact.
 */
export function Overlay({ board, cell, image, draft, under }: Props): JSX.Element {
  const aspect = pixelAspect(image.spacing_mm);
  const view = useComputed<View>(() => viewOf(cell, image));
  const matrix = useComputed(() => `matrix(${matrixOf(view.value, aspect).join(" ")})`);
  const painted = useProjection(
    view,
    aspect,
    useComputed(() => board.rois.value.length),
  );
  const moved = useRef<SVGSVGElement>(null);
  useSignalEffect(() => {
    if (moved.current) moved.current.style.transform = painted.shift.value;
  });
  // In small viewports tags would hide what they name.
  const room = useComputed(() => cell.box.value.width);
  const isSmall = useComputed(() => room.value < 320);
  const frame = cell.frame.value;
  const here = board.rois.value.flatMap((roi, index) =>
    roi.image === image.number && roi.frame === frame ? [{ roi, number: index + 1 }] : [],
  );
  const shown = board.overlays.value ? here : [];
  const selected = shown.find(({ roi }) => roi.id === board.selected.value);
  return (
    <>
      <svg ref={moved} class={`overlay painted${painted.isMany.value ? " many" : ""}`}>
        <title>Regions of image {image.number}</title>
        {under?.({ image, frame, view: painted.view, matrix: painted.matrix })}
        <g transform={painted.matrix}>
          {shown.map(({ roi, number }) => (
            <Region key={roi.id} board={board} roi={roi} number={number} />
          ))}
        </g>
        {shown.map(({ roi, number }) => (
          <Tag
            key={roi.id}
            board={board}
            image={image}
            roi={roi}
            number={number}
            view={painted.view}
            aspect={aspect}
            isSmall={isSmall}
            room={room}
          />
        ))}
      </svg>
      <svg class="overlay in-hand" aria-hidden="true">
        {selected && board.canDraw && (
          <Grips board={board} roi={selected.roi} view={view} aspect={aspect} matrix={matrix} />
        )}
        <BrushLayer board={board} cell={cell} image={image} matrix={matrix} />
        <DraftLayer board={board} cell={cell} image={image} draft={draft} view={view} matrix={matrix} />
      </svg>
    </>
  );
}

function Region({ board, roi, number }: { board: Board; roi: Roi; number: number }): JSX.Element {
  const id = roi.id;
  const isSelected = useComputed(() => board.selected.value === id);
  const look = useComputed(() => `roi${isSelected.value ? " sel" : ""}${dimClass(board, id)}`);
  const words = useComputed(() => board.sentence(roi, number));
  // The same element for the same region: what did not change is not compared again.
  return useMemo(
    () => (
      <g
        class={look}
        style={colours(board, roi.label)}
        data-roi={id}
        data-number={number}
        tabIndex={0}
        role="button"
        aria-pressed={isSelected}
        aria-label={words}
        onFocus={() => {
          board.selected.value = id;
        }}
        {...hoverOf(board, id)}
      >
        <Outline roi={roi} />
      </g>
    ),
    [board, roi, number, id, look, words, isSelected],
  );
}
