// What lies on an image under the gold: what everybody drew, and where they differ.
import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import type { Roi } from "../api/types";
import { bounds } from "../geometry/shapes";
import { dimClass, hoverOf } from "../viewer/looks";
import { Outline } from "../viewer/Outline";
import type { Laid } from "../viewer/Overlay";
import { pixelAspect, toScreen } from "../viewer/transform";
import { board } from "./board";
import type { Place, ReadingSaid } from "./data";
import { readings } from "./state";
import { hidden, labelName, opacity, placesAt, showsDifference, showsStaple, styleOf } from "./view";

const TAG_WIDE = 32;

interface Drawn {
  at: Laid;
  said: ReadingSaid;
  roi: Roi;
  tag: string;
}

function Region({ at, said, roi, tag }: Drawn): JSX.Element {
  return (
    <g class={`roi roi-${styleOf(said)}${dimClass(board, roi.id)}`} {...hoverOf(board, roi.id)}>
      <title>{`${said.reader} region ${tag.split(".")[1]}: ${labelName(roi.label)}`}</title>
      <g transform={at.matrix}>
        <Outline roi={roi} />
      </g>
    </g>
  );
}

/** A reader's tag stands below the region, each reader's in a column of its own; the gold's stands above. */
function Tag({ at, said, roi, tag }: Drawn): JSX.Element {
  const [x0, y0, x1, y1] = bounds(roi);
  const place = useComputed(() => {
    const aspect = pixelAspect(at.image.spacing_mm);
    const [ax, ay] = toScreen(at.view.value, aspect, x0, y0);
    const [bx, by] = toScreen(at.view.value, aspect, x1, y1);
    return `translate(${Math.min(ax, bx) + (said.number - 1) * TAG_WIDE} ${Math.max(ay, by) + 13})`;
  });
  return (
    <text class={`roi-number roi-${styleOf(said)}`} transform={place}>
      {tag}
    </text>
  );
}

function Maps({ at }: { at: Place }): JSX.Element | null {
  if (!at.window) return null;
  const { x0, y0, x1, y1 } = at.window;
  const box = { x: x0, y: y0, width: x1 - x0, height: y1 - y0, preserveAspectRatio: "none" };
  return (
    <>
      {showsStaple.value && at.staple && <image class="map" href={at.staple.png} opacity={opacity.value} {...box} />}
      {showsDifference.value && at.difference && (
        <image class="map" href={at.difference} opacity={opacity.value} {...box} />
      )}
    </>
  );
}

function drawnOn(at: Laid): Drawn[] {
  const shown = readings.value.filter((said) => !hidden.value.has(said.reading));
  return shown.flatMap((said) =>
    said.content.rois.flatMap((roi, index) =>
      roi.image === at.image.number && roi.frame === at.frame
        ? [{ at, said, roi, tag: `${said.reader}.${index + 1}` }]
        : [],
    ),
  );
}

export function Layers({ at }: { at: Laid }): JSX.Element {
  const drawn = drawnOn(at);
  return (
    <>
      <g transform={at.matrix}>
        {placesAt(at.image.number, at.frame).map((place) => (
          <Maps key={`${place.label}`} at={place} />
        ))}
      </g>
      {drawn.map((one) => (
        <Region key={`${one.said.reading}.${one.roi.id}`} {...one} />
      ))}
      {/* Over all shapes, so that no line goes through a name. */}
      {drawn.map((one) => (
        <Tag key={`${one.said.reading}.${one.roi.id} tag`} {...one} />
      ))}
    </>
  );
}
