// The frame of a cine, and the frames on which somebody drew.
import type { JSX } from "preact";
import { filledTo } from "../panels/words";
import { currentImage, goToFrame } from "../state/viewing";
import { board } from "./board";
import { readings } from "./state";
import { framesDrawn } from "./view";

const MOST_SHOWN = 6;

export function Frames(): JSX.Element | null {
  const image = currentImage(board);
  if (!image || image.frames < 2) return null;
  const now = board.cell().frame.value;
  const rois = [...readings.value.flatMap((said) => said.content.rois), ...board.rois.value];
  const drawn = framesDrawn(rois, image.number);
  return (
    <span class="row sm t2 frames-bar">
      <label class="row">
        Frame
        <input
          class="range frames"
          type="range"
          min="0"
          max={image.frames - 1}
          value={now}
          style={filledTo(now / (image.frames - 1))}
          onInput={(event) => goToFrame(board, event.currentTarget.valueAsNumber)}
        />
      </label>
      {drawn.length > 0 && <span>drawn on</span>}
      {drawn.slice(0, MOST_SHOWN).map((frame) => (
        <button
          key={frame}
          type="button"
          class="btn ghost sm num"
          aria-pressed={frame === now}
          aria-label={`Frame ${frame + 1}, on which somebody drew`}
          onClick={() => goToFrame(board, frame)}
        >
          {frame + 1}
        </button>
      ))}
      {drawn.length > MOST_SHOWN && (
        <span title={`Frames ${drawn.map((frame) => frame + 1).join(", ")}`}>and {drawn.length - MOST_SHOWN} more</span>
      )}
    </span>
  );
}
