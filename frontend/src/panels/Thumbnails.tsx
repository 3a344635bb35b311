import type { ComponentChildren, JSX } from "preact";
import type { ImageInfo } from "../api/types";
import type { Board } from "../state/board";
import type { Session } from "../state/session";
import { Icon } from "./icons";
import { count } from "./words";

interface ThumbProps {
  board: Board;
  image: ImageInfo;
  /** What more is said of the image. */
  words: string;
  then?: () => void;
  children: ComponentChildren;
}

/** An image in small: pressed it comes to the active viewport, and it can be dragged to another. */
export function Thumb({ board, image, words, then, children }: ThumbProps): JSX.Element {
  const isActive = board.cell().image.value === image.number;
  const isOpen = board.opened.value.has(image.number);
  return (
    <button
      type="button"
      class={`thumb${isOpen ? " open" : ""}${isActive ? " active" : ""}`}
      aria-label={[`Image ${image.number}`, image.modality, image.view, words].filter(Boolean).join(", ")}
      aria-pressed={isActive}
      data-image={image.number}
      draggable
      onDragStart={(event) => event.dataTransfer?.setData("text/plain", String(image.number))}
      onClick={() => {
        // An image that is on the screen already is looked at there.
        const shown = board.cells.peek().findIndex((cell) => cell.image.peek() === image.number);
        board.show(image.number, undefined, shown < 0 ? undefined : shown);
        then?.();
      }}
    >
      <img src={`/api/v1/images/${image.sha256}/thumbnail/`} alt="" draggable={false} />
      <span class="n">{image.number}</span>
      <span class="m">{image.modality || "–"}</span>
      {image.frames > 1 && <span class="f">{image.frames} fr</span>}
      {children}
    </button>
  );
}

export function Thumbnails({ session }: { session: Session }): JSX.Element {
  const rois = session.rois.value;
  return (
    <aside class="ws-thumbs" aria-label="Images">
      {session.images.value.map((image) => {
        const number = rois.filter((roi) => roi.image === image.number).length;
        const isFound = session.form.isFound(image.number);
        const isOpen = session.opened.value.has(image.number);
        const words = [
          isOpen ? count(number, "ROI") : "not opened",
          isFound === null ? "" : isFound ? "finding written" : "no finding yet",
        ];
        return (
          <Thumb
            key={image.sha256 + image.number}
            board={session}
            image={image}
            words={words.filter(Boolean).join(", ")}
            then={() => session.form.follow(image.number, true)}
          >
            {isOpen ? <span class="r">{number}</span> : <span class="new" />}
            {isFound && (
              <span class="found">
                <Icon name="check" size="sm" />
              </span>
            )}
          </Thumb>
        );
      })}
    </aside>
  );
}
