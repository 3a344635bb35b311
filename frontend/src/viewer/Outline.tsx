import type { JSX } from "preact";
import type { ShapeGeometry } from "../api/types";
import { maskPath } from "../geometry/maskloops";
import { bounds } from "../geometry/shapes";

/** A shape twice: a dark halo, and over it the coloured edge; a line has a wider one below, for the pointer to meet. */
export function Outline({ roi }: { roi: ShapeGeometry }): JSX.Element {
  return (
    <>
      {roi.shape === "line" && <Shape roi={roi} kind="hit" />}
      <Shape roi={roi} kind="halo" />
      <Shape roi={roi} kind="edge" />
    </>
  );
}

function Shape({ roi, kind }: { roi: ShapeGeometry; kind: "hit" | "halo" | "edge" }): JSX.Element {
  switch (roi.shape) {
    case "mask":
      return <path class={kind} fill-rule="evenodd" d={maskPath(roi.geometry)} />;
    case "box": {
      const [x0, y0, x1, y1] = bounds(roi);
      return <rect class={kind} x={x0} y={y0} width={x1 - x0} height={y1 - y0} />;
    }
    case "ellipse": {
      const { cx, cy, rx, ry, angle } = roi.geometry;
      const turn = `rotate(${(angle * 180) / Math.PI} ${cx} ${cy})`;
      return <ellipse class={kind} cx={cx} cy={cy} rx={rx} ry={ry} transform={turn} />;
    }
    case "polygon":
    case "freehand":
      return <polygon class={kind} points={roi.geometry.points.map((point) => point.join(",")).join(" ")} />;
    case "line":
      return <polyline class={`${kind} open`} points={roi.geometry.points.map((point) => point.join(",")).join(" ")} />;
    case "point":
      // A line of no length with round ends: a dot that zoom does not change.
      return <path class={`${kind} dot`} d={`M${roi.geometry.x} ${roi.geometry.y}h0`} />;
  }
}
