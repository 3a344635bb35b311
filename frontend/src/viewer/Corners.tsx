import type { JSX } from "preact";
import type { ImageInfo } from "../api/types";
import type { Board } from "../state/board";
import { type Cell, viewOf, windowOf } from "../state/cells";
import type { Orientation } from "./transform";

/** Spacing as the file gives it; the detector's plane is named, since it is not the patient's. */
export function spacingText(image: ImageInfo): string {
  if (!image.spacing_mm) return "";
  const [row, column] = image.spacing_mm.map((mm) => mm.toFixed(3)) as [string, string];
  const size = row === column ? `${row} mm/px` : `${column} × ${row} mm/px`;
  return image.spacing_source === "ImagerPixelSpacing" ? `${size} at the detector` : size;
}

function tidy(value: number): string {
  const text = Math.abs(value) >= 100 ? value.toFixed(0) : String(Math.round(value * 10) / 10);
  return text.replace("-", "−");
}

/** How the image was turned, so that nobody takes left for right. */
export function turnText({ turn, flip }: Orientation): string {
  if (flip && turn === 2) return "Flipped top to bottom";
  const angle = turn === 0 ? "" : turn === 3 ? "Turned 90° left" : `Turned ${turn * 90}° right`;
  return [flip ? "Flipped left to right" : "", angle].filter(Boolean).join(", ").replace(", T", ", t");
}

/** What the corners say: never who the patient is. */
export function Corners({ board, cell, image }: { board: Board; cell: Cell; image: ImageInfo }): JSX.Element {
  const windowing = windowOf(cell);
  const spacing = spacingText(image);
  return (
    <>
      <div class="ov tl">
        <b>{image.number}</b> / {board.images.value.length}
        {image.view && <div class="view">{image.view}</div>}
        {image.frames > 1 && (
          <div class="frame-no">
            frame <b>{cell.frame.value + 1}</b> / {image.frames}
          </div>
        )}
      </div>
      {image.modality && (
        <div class="ov tr">
          <b>{image.modality}</b>
        </div>
      )}
      <div class="ov bl">
        Zoom {viewOf(cell, image).scale.toFixed(2)}
        {spacing && <span class="spacing"> · {spacing}</span>}
        {turnText(cell.orientation.value) && <div class="turned">{turnText(cell.orientation.value)}</div>}
      </div>
      <div class="ov br">
        {image.channels === 1 && (
          <div class="wl">
            W {tidy(windowing.width)} &nbsp;C {tidy(windowing.centre)}
          </div>
        )}
        <div class="wl-name">
          {windowing.name}
          {windowing.invert && ", inverted"}
        </div>
      </div>
    </>
  );
}
