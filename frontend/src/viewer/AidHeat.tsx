import type { JSX } from "preact";
import { contourPath, placeOf, timesAverage } from "../case/heat";
import { heatPicture } from "../case/picture";
import type { Aid } from "../state/aided";

const OPACITY = 0.55;

/** Where the chosen model looked, over a frame and under the regions, in image pixels. */
export function AidHeat({ aid, image, frame }: { aid: Aid; image: number; frame: number }): JSX.Element | null {
  const map = aid.isMapOn.value ? aid.map(image, frame).value : null;
  if (!map) return null;
  const values = timesAverage(map);
  const at = placeOf(map.transform);
  const columns = values[0]?.length ?? 1;
  return (
    <g class="aid-heat">
      <image
        href={heatPicture(values)}
        x={at.x}
        y={at.y}
        width={at.width}
        height={at.height}
        opacity={OPACITY}
        preserveAspectRatio="none"
      />
      <g transform={`translate(${at.x} ${at.y}) scale(${at.width / columns} ${at.height / values.length})`}>
        <path class="contour" d={contourPath(values)} />
      </g>
    </g>
  );
}
