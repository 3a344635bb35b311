import type { JSX } from "preact";
import type { Board } from "../state/board";
import { currentImage } from "../state/viewing";
import { brushOn, isBrush, widest } from "../tools/painting";
import { filledTo } from "./words";

/** How wide the brush is, while it is in the hand. */
export function BrushSize({ board }: { board: Board }): JSX.Element | null {
  const image = currentImage(board);
  if (!image || !board.canDraw || !isBrush(board)) return null;
  const size = brushOn(board, image);
  return (
    <label class="row sm t2 brush-size">
      Size
      <input
        class="range"
        type="range"
        aria-label="Brush size in pixels, keys [ and ]"
        title="Brush size ([ and ])"
        min="1"
        max={Math.max(widest(image), size)}
        value={size}
        style={filledTo((size - 1) / Math.max(1, widest(image) - 1))}
        onInput={(event) => (board.brush.value = event.currentTarget.valueAsNumber)}
      />
      <span class="num">{size} px</span>
    </label>
  );
}
