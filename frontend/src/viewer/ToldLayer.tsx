import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import type { Roi } from "../api/types";
import { bounds } from "../geometry/shapes";
import type { Session } from "../state/session";
import { Outline } from "./Outline";
import type { Laid } from "./Overlay";
import { pixelAspect, toScreen } from "./transform";

const BELOW_PX = 14;

/** The gold's regions over the images of a reading in training, under the reader's own. */
export function ToldLayer({ session, at }: { session: Session; at: Laid }): JSX.Element | null {
  const rois = session.feedback.value?.rois ?? [];
  return (
    <>
      {rois.map((roi, index) =>
        roi.image === at.image.number && roi.frame === at.frame ? (
          <g key={roi.id} class="roi told-roi" data-testid="told-roi">
            <title>Gold region {index + 1}</title>
            <g transform={at.matrix}>
              <Outline roi={roi} />
            </g>
            <Name roi={roi} at={at} number={index + 1} />
          </g>
        ) : null,
      )}
    </>
  );
}

function Name({ roi, at, number }: { roi: Roi; at: Laid; number: number }): JSX.Element {
  const [x0, y0, x1, y1] = bounds(roi);
  const place = useComputed(() => {
    const aspect = pixelAspect(at.image.spacing_mm);
    const [ax, ay] = toScreen(at.view.value, aspect, x0, y0);
    const [bx, by] = toScreen(at.view.value, aspect, x1, y1);
    return `translate(${Math.min(ax, bx)} ${Math.max(ay, by) + BELOW_PX})`;
  });
  return (
    <text class="told-name" transform={place}>
      Gold {number}
    </text>
  );
}
