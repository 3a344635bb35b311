import { type ReadonlySignal, useComputed, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo, useRef } from "preact/hooks";
import type { ImageInfo, Roi, ShapeGeometry } from "../api/types";
import { type Cell, viewOf } from "../state/cells";
import type { Session } from "../state/session";
import { AidHeat } from "./AidHeat";
import { DraftLayer } from "./DraftLayer";
import { Grips } from "./Grips";
import { colours, dimClass, hoverOf } from "./looks";
import { Outline } from "./Outline";
import { QuestionBox } from "./QuestionBox";
import { roiSentence } from "./sentence";
import { Tag } from "./Tag";
import { matrixOf, pixelAspect, type View } from "./transform";
import { useProjection } from "./useProjection";

interface Props {
  session: Session;
  cell: Cell;
  image: ImageInfo;
  draft: ReadonlySignal<ShapeGeometry | null>;
}

/**
 * Regions over the image: shapes in one group that the view transforms, tags and handles in screen pixels. A pan or zoom
 * sets attributes through signals and renders nothing anew; above that lies what is in the hand, which is always exact.
 */
export function Overlay({ session, cell, image, draft }: Props): JSX.Element {
  const aspect = pixelAspect(image.spacing_mm);
  const view = useComputed<View>(() => viewOf(cell, image));
  const matrix = useComputed(() => `matrix(${matrixOf(view.value, aspect).join(" ")})`);
  const painted = useProjection(
    view,
    aspect,
    useComputed(() => session.rois.value.length),
  );
  const moved = useRef<SVGSVGElement>(null);
  useSignalEffect(() => {
    if (moved.current) moved.current.style.transform = painted.shift.value;
  });
  // In small viewports tags would hide what they name.
  const room = useComputed(() => cell.box.value.width);
  const isSmall = useComputed(() => room.value < 320);
  const frame = cell.frame.value;
  const here = session.rois.value.flatMap((roi, index) =>
    roi.image === image.number && roi.frame === frame ? [{ roi, number: index + 1 }] : [],
  );
  const shown = session.overlays.value ? here : [];
  const selected = shown.find(({ roi }) => roi.id === session.selected.value);
  return (
    <>
      <svg ref={moved} class={`overlay painted${painted.isMany.value ? " many" : ""}`}>
        <title>Regions of image {image.number}</title>
        <g transform={painted.matrix}>
          {session.aided && <AidHeat aid={session.aided} image={image.number} frame={frame} />}
          <QuestionBox session={session} image={image} />
          {shown.map(({ roi, number }) => (
            <Region key={roi.id} session={session} roi={roi} number={number} />
          ))}
        </g>
        {shown.map(({ roi, number }) => (
          <Tag
            key={roi.id}
            session={session}
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
        {selected && <Grips session={session} roi={selected.roi} view={view} aspect={aspect} matrix={matrix} />}
        <DraftLayer session={session} cell={cell} image={image} draft={draft} view={view} matrix={matrix} />
      </svg>
    </>
  );
}

function Region({ session, roi, number }: { session: Session; roi: Roi; number: number }): JSX.Element {
  const id = roi.id;
  const isSelected = useComputed(() => session.selected.value === id);
  const look = useComputed(() => `roi${isSelected.value ? " sel" : ""}${dimClass(session, id)}`);
  const words = useComputed(() => roiSentence(session, roi, number));
  // The same element for the same region: what did not change is not compared again.
  return useMemo(
    () => (
      <g
        class={look}
        style={colours(session, roi.label)}
        data-roi={id}
        data-number={number}
        tabIndex={0}
        role="button"
        aria-pressed={isSelected}
        aria-label={words}
        onFocus={() => {
          session.selected.value = id;
        }}
        {...hoverOf(session, id)}
      >
        <Outline roi={roi} />
      </g>
    ),
    [session, roi, number, id, look, words, isSelected],
  );
}
