// Every image of the case, and how much is drawn on it.
import type { JSX } from "preact";
import { Thumb } from "../panels/Thumbnails";
import { count } from "../panels/words";
import { board } from "./board";
import { readings } from "./state";

export function Thumbnails(): JSX.Element | null {
  if (board.images.value.length < 2) return null;
  const drawn = readings.value.flatMap((said) => said.content.rois);
  return (
    <div class="review-thumbs" role="group" aria-label="Images">
      {board.images.value.map((image) => {
        const isHere = (roi: { image: number }): boolean => roi.image === image.number;
        const read = drawn.filter(isHere).length;
        const gold = board.rois.value.filter(isHere).length;
        const words = `${count(read, "region")} of readers, ${gold} in the gold`;
        return (
          <Thumb key={image.sha256 + image.number} board={board} image={image} words={words}>
            <span class="r">
              {read}
              {gold > 0 && <b> +{gold}</b>}
            </span>
          </Thumb>
        );
      })}
    </div>
  );
}
