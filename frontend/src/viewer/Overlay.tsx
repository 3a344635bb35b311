import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
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
  const selected = rois.find((roi) => roi.id === session.selected.value);
  const project = (x: number, y: number): [number, number] => toScreen(view, aspect, x, y);
  const matrix = `matrix(${view.scale} 0 0 ${view.scale * aspect} ${view.x} ${view.y})`;
  return (
    <svg class="overlay">
      <title>Regions of image {image.number}</title>
      {rois.map((roi) => (
        <RoiGroup key={roi.id} session={session} roi={roi} matrix={matrix} project={project} />
      ))}
      {selected && <Grip session={session} roi={selected} matrix={matrix} project={project} />}
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
      <Tag number={number} name={name} x={Math.max(2, left)} y={top < 20 ? top + 18 : top - 7} />
    </g>
  );
}

const TAG_PADDING = 5;

function Tag({ number, name, x, y }: { number: string; name: string; x: number; y: number }): JSX.Element {
  const words = useRef<SVGTextElement>(null);
  const ground = useRef<SVGRectElement>(null);
  useLayoutEffect(() => {
    const width = words.current?.getComputedTextLength() ?? 0;
    ground.current?.setAttribute("width", String(Math.ceil(width) + 2 * TAG_PADDING));
  }, [number, name]);
  return (
    <g class="tag" transform={`translate(${x} ${y})`}>
      <rect ref={ground} x="0" y="-13" height="17" rx="3" />
      <text ref={words} x={TAG_PADDING} y="0">
        <tspan class="no">{number}</tspan>
        {name && ` ${name}`}
      </text>
    </g>
  );
}

/**
 * What the pointer takes hold of: over all other regions, so that the selected one can be moved where others cover it.
 * Apart from the region itself, whose place among the others, and with it the focus, stays.
 */
function Grip({ session, roi, matrix, project }: GroupProps): JSX.Element {
  return (
    <g
      class="roi grip"
      data-grip={roi.id}
      onPointerEnter={() => (session.hovered.value = new Set([roi.id]))}
      onPointerLeave={() => (session.hovered.value = new Set())}
    >
      <g transform={matrix}>
        <Outline roi={roi} />
      </g>
      {roi.shape === "box" &&
        HANDLES.map((handle) => {
          const [x, y] = project(...handlePoint(roi.geometry, handle));
          return (
            <rect key={handle} class={`hd ${handle}`} data-handle={handle} x={x - 4} y={y - 4} width="8" height="8" />
          );
        })}
    </g>
  );
}
