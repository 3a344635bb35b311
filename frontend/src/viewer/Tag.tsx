import { type ReadonlySignal, useComputed, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { ImageInfo, Roi } from "../api/types";
import { bounds } from "../geometry/shapes";
import type { Session } from "../state/session";
import { colours, dimClass, nameOf } from "./looks";
import { lengthText } from "./measure";
import { isCrossing } from "./sentence";
import { toScreen, type View } from "./transform";

interface Props {
  session: Session;
  image: ImageInfo;
  roi: Roi;
  number: number;
  view: ReadonlySignal<View>;
  aspect: number;
  isSmall: ReadonlySignal<boolean>;
}

const PADDING = 5;

/** Number and label above a region's upper left corner as seen, in screen pixels. */
export function Tag({ session, image, roi, number, view, aspect, isSmall }: Props): JSX.Element {
  const words = useRef<SVGTextElement>(null);
  const ground = useRef<SVGRectElement>(null);
  const [x0, y0, x1, y1] = bounds(roi);
  const place = useComputed(() => {
    const [ax, ay] = toScreen(view.value, aspect, x0, y0);
    const [bx, by] = toScreen(view.value, aspect, x1, y1);
    const [left, top] = [Math.min(ax, bx), Math.min(ay, by)];
    return `translate(${Math.max(2, left)} ${top < 20 ? top + 18 : top - 7})`;
  });
  const look = useComputed(() => `roi-tag${dimClass(session, roi.id)}`);
  const name = nameOf(session, roi);
  const size = roi.shape === "line" ? lengthText(roi.geometry, image) : "";
  const said = isSmall.value ? size : [name, size].filter(Boolean).join(" ");
  const flag = isCrossing(roi) ? "crosses itself" : "";
  useSignalEffect(() => {
    void isSmall.value;
    const width = words.current?.getComputedTextLength() ?? 0;
    ground.current?.setAttribute("width", String(Math.ceil(width) + 2 * PADDING));
  });
  return (
    <g class={look} transform={place} style={colours(session, roi.label)}>
      <rect ref={ground} x="0" y="-13" height="17" rx="3" />
      <text ref={words} x={PADDING} y="0">
        <tspan class="no">{number}</tspan>
        {said && ` ${said}`}
        {flag && <tspan class="flag"> {flag}</tspan>}
      </text>
    </g>
  );
}
