import { type ReadonlySignal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { ImageInfo, Roi } from "../api/types";
import { bounds } from "../geometry/shapes";
import type { Board } from "../state/board";
import { colours, dimClass, nameOf } from "./looks";
import { lengthText } from "./measure";
import { isCrossing } from "./sentence";
import { toScreen, type View } from "./transform";

interface Props {
  board: Board;
  image: ImageInfo;
  roi: Roi;
  number: number;
  view: ReadonlySignal<View>;
  aspect: number;
  isSmall: ReadonlySignal<boolean>;
  /** The viewport's width, in which the tag stays. */
  room: ReadonlySignal<number>;
}

const PADDING = 5;

/** Number and label above a region's upper left corner as seen, in screen pixels. */
export function Tag({ board, image, roi, number, view, aspect, isSmall, room }: Props): JSX.Element {
  const words = useRef<SVGTextElement>(null);
  const ground = useRef<SVGRectElement>(null);
  const long = useSignal(0);
  const [x0, y0, x1, y1] = bounds(roi);
  const place = useComputed(() => {
    const [ax, ay] = toScreen(view.value, aspect, x0, y0);
    const [bx, by] = toScreen(view.value, aspect, x1, y1);
    const [left, right, top] = [Math.min(ax, bx), Math.max(ax, bx), Math.min(ay, by)];
    // Within the viewport while the region is: a tag that is cut off names nothing.
    const x = left < room.value && right > 0 ? Math.max(2, Math.min(left, room.value - long.value - 2)) : left;
    return `translate(${x} ${top < 20 ? top + 18 : top - 7})`;
  });
  const look = useComputed(() => `roi-tag${dimClass(board, roi.id)}`);
  const name = nameOf(board, roi);
  const size = roi.shape === "line" ? lengthText(roi.geometry, image) : "";
  const said = isSmall.value ? size : [name, size].filter(Boolean).join(" ");
  const flag = isCrossing(roi) ? "crosses itself" : "";
  useSignalEffect(() => {
    void isSmall.value;
    const width = words.current?.getComputedTextLength() ?? 0;
    long.value = Math.ceil(width) + 2 * PADDING;
    ground.current?.setAttribute("width", String(long.peek()));
  });
  return (
    <g class={look} transform={place} style={colours(board, roi.label)}>
      <rect ref={ground} x="0" y="-13" height="17" rx="3" />
      <text ref={words} x={PADDING} y="0">
        <tspan class="no">{board.tagOf(number)}</tspan>
        {said && ` ${said}`}
        {flag && <tspan class="flag"> {flag}</tspan>}
      </text>
    </g>
  );
}
