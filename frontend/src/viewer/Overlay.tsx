import type { JSX } from "preact";
import type { BoxGeometry, ImageInfo, Roi } from "../api/types";
import { HANDLES, handlePoint } from "../geometry/box";
import { bounds } from "../geometry/shapes";
import type { Cell } from "../state/cells";
import { viewOf } from "../state/cells";
import { labelName, lookOf, roiNumber } from "../state/labels";
import type { Session } from "../state/session";
import { Outline } from "./Outline";
import { pixelAspect, toScreen } from "./transform";

interface Props {
  session: Session;
  cell: Cell;
  image: ImageInfo;
  draft: BoxGeometry | null;
}

/** What a screen reader says of a ROI. */
export function roiSentence(session: Session, roi: Roi): string {
  const number = roiNumber(session.rois.value, roi.id);
  const name = labelName(roi.label, session.data.protocol.labels);
  const steps = session.store.content.value.steps;
  const cited = steps.flatMap((step, index) => (step.evidence.includes(roi.id) ? [index + 1] : []));
  const citing =
    cited.length === 0 ? "not cited" : `cited in step${cited.length > 1 ? "s" : ""} ${cited.join(" and ")}`;
  return [`ROI ${number}`, name, roi.shape, `image ${roi.image}`, citing].filter(Boolean).join(", ");
}

/** Regions over the image: shapes in one group that the view transforms, tags and handles in screen pixels. */
export function Overlay({ session, cell, image, draft }: Props): JSX.Element {
  const view = viewOf(cell, image);
  const aspect = pixelAspect(image.spacing_mm);
  const frame = cell.frame.value;
  const rois = session.overlays.value
    ? session.rois.value.filter((roi) => roi.image === image.number && roi.frame === frame)
    : [];
  const selected = session.selected.value;
  // The selected one last, so that its handles are on top.
  const ordered = [...rois].sort((a, b) => Number(a.id === selected) - Number(b.id === selected));
  const matrix = `matrix(${view.scale} 0 0 ${view.scale * aspect} ${view.x} ${view.y})`;
  return (
    <svg class="overlay">
      <title>Regions of image {image.number}</title>
      {ordered.map((roi) => (
        <RoiGroup
          key={roi.id}
          session={session}
          roi={roi}
          matrix={matrix}
          project={(x, y) => toScreen(view, aspect, x, y)}
        />
      ))}
      {draft && (
        <g class="roi sel drawing" transform={matrix} style={colours(session, session.label.value)}>
          <Outline roi={{ shape: "box", geometry: draft }} />
        </g>
      )}
    </svg>
  );
}

function colours(session: Session, label: string | null): JSX.CSSProperties {
  const look = lookOf(label, session.data.protocol.labels);
  return { "--c": look.colour, "--d": look.dash } as JSX.CSSProperties;
}

interface GroupProps {
  session: Session;
  roi: Roi;
  matrix: string;
  project: (x: number, y: number) => [number, number];
}

function RoiGroup({ session, roi, matrix, project }: GroupProps): JSX.Element {
  const isSelected = session.selected.value === roi.id;
  const lit = session.hovered.value;
  const isDim = lit.size > 0 && !lit.has(roi.id);
  const hover = (is: boolean): void => {
    session.hovered.value = is ? new Set([roi.id]) : new Set();
  };
  const [x0, y0] = bounds(roi);
  const [left, top] = project(x0, y0);
  const name = labelName(roi.label, session.data.protocol.labels);
  const number = String(roiNumber(session.rois.value, roi.id));
  return (
    <g
      class={`roi${isSelected ? " sel" : ""}${isDim ? " dim" : ""}`}
      style={colours(session, roi.label)}
      data-roi={roi.id}
      data-number={number}
      tabIndex={0}
      role="button"
      aria-pressed={isSelected}
      aria-label={roiSentence(session, roi)}
      onFocus={() => {
        session.selected.value = roi.id;
      }}
      onPointerEnter={() => hover(true)}
      onPointerLeave={() => hover(false)}
    >
      <g transform={matrix}>
        <Outline roi={roi} />
      </g>
      <g class="tag" transform={`translate(${Math.max(2, left)} ${top < 20 ? top + 18 : top - 7})`}>
        <rect x="0" y="-13" width={14 + number.length * 7 + (name ? name.length * 6.4 + 2 : 0)} height="17" rx="3" />
        <text x="5" y="0">
          <tspan class="no">{number}</tspan> {name}
        </text>
      </g>
      {isSelected && roi.shape === "box" && (
        <g>
          {HANDLES.map((handle) => {
            const [x, y] = project(...handlePoint(roi.geometry, handle));
            return (
              <rect key={handle} class={`hd ${handle}`} data-handle={handle} x={x - 4} y={y - 4} width="8" height="8" />
            );
          })}
        </g>
      )}
    </g>
  );
}
