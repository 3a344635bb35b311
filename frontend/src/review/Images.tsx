// What lies over an image: what everybody drew, where they differ, and the gold.
import type { JSX } from "preact";
import type { ImageInfo, Roi, ShapeGeometry } from "../api/types";
import { bounds } from "../geometry/shapes";
import { Outline } from "../viewer/Outline";
import type { Place, ReadingSaid } from "./data";
import { maskPath } from "./marks";
import { readings, shownGold } from "./state";
import {
  hidden,
  isHere,
  labelName,
  lit,
  opacity,
  place,
  placesHere,
  showsDifference,
  showsGold,
  showsStaple,
  styleOf,
  zoom,
} from "./view";

function Drawn({ roi }: { roi: ShapeGeometry }): JSX.Element {
  if (roi.shape !== "mask") return <Outline roi={roi} />;
  const path = maskPath(roi.geometry);
  return (
    <>
      <path class="halo" d={path} />
      <path class="edge" d={path} />
    </>
  );
}

/** A reader's tag stands above, each in its own column; the gold's below. */
function Region(props: {
  roi: Roi;
  look: string;
  tag: string;
  size: number;
  words: string;
  column: number | null;
}): JSX.Element {
  const { roi, look, tag, size, words, column } = props;
  const [x0, y0, , y1] = bounds(roi);
  const y = column === null ? y1 + size * 1.1 : Math.max(y0 - size * 0.35, size);
  const isDim = lit.value !== null && lit.value !== roi.id;
  return (
    <g class={`roi ${look}${isDim ? " dim" : ""}`}>
      <title>{words}</title>
      <Drawn roi={roi} />
      <text class="roi-number" x={x0 + (column ?? 0) * size * 2.3} y={y} font-size={size}>
        {tag}
      </text>
    </g>
  );
}

function OfReader({ said, size }: { said: ReadingSaid; size: number }): JSX.Element {
  return (
    <>
      {said.content.rois.map((roi, index) =>
        isHere(roi) ? (
          <Region
            key={roi.id}
            roi={roi}
            look={`roi-${styleOf(said)}`}
            tag={`${said.reader}.${index + 1}`}
            size={size}
            column={said.number - 1}
            words={`${said.reader} region ${index + 1}: ${labelName(roi.label)}`}
          />
        ) : null,
      )}
    </>
  );
}

function Overlays({ at }: { at: Place }): JSX.Element | null {
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

export function Layers({ info }: { info: ImageInfo }): JSX.Element {
  const { frame } = place.value;
  const size = (Math.max(info.width, info.height) * 0.028) / zoom.value.scale;
  const gold = showsGold.value ? shownGold.value.rois.filter(isHere) : [];
  return (
    <>
      <image
        href={`/api/v1/images/${info.sha256}/frames/${frame}/?format=png`}
        width={info.width}
        height={info.height}
        preserveAspectRatio="none"
      />
      {placesHere.value.map((at) => (
        <Overlays key={`${at.label}`} at={at} />
      ))}
      {readings.value
        .filter((said) => !hidden.value.has(said.reading))
        .map((said) => (
          <OfReader key={said.reading} said={said} size={size} />
        ))}
      {gold.map((roi) => (
        <Region
          key={roi.id}
          roi={roi}
          look="roi-gold"
          tag="Gold"
          size={size}
          column={null}
          words={`Gold: ${labelName(roi.label)}`}
        />
      ))}
    </>
  );
}
