import type { JSX } from "preact";
import type { Session } from "../state/session";
import { Icon } from "./icons";
import { count } from "./words";

export function Thumbnails({ session }: { session: Session }): JSX.Element {
  const rois = session.rois.value;
  const active = session.cell().image.value;
  return (
    <aside class="ws-thumbs" aria-label="Images">
      {session.images.value.map((image) => {
        const number = rois.filter((roi) => roi.image === image.number).length;
        const isFound = session.form.isFound(image.number);
        const isOpen = session.opened.value.has(image.number);
        const words = [
          `Image ${image.number}`,
          image.modality,
          image.view,
          isOpen ? count(number, "ROI") : "not opened",
          isFound === null ? "" : isFound ? "finding written" : "no finding yet",
        ];
        return (
          <button
            key={image.sha256 + image.number}
            type="button"
            class={`thumb${isOpen ? " open" : ""}${active === image.number ? " active" : ""}`}
            aria-label={words.filter(Boolean).join(", ")}
            aria-pressed={active === image.number}
            data-image={image.number}
            draggable
            onDragStart={(event) => event.dataTransfer?.setData("text/plain", String(image.number))}
            onClick={() => {
              // An image that is on the screen already is looked at there.
              const shown = session.cells.peek().findIndex((cell) => cell.image.peek() === image.number);
              session.show(image.number, undefined, shown < 0 ? undefined : shown);
              session.form.follow(image.number, true);
            }}
          >
            <img src={`${session.api}images/${image.sha256}/thumbnail/`} alt="" draggable={false} />
            <span class="n">{image.number}</span>
            <span class="m">{image.modality || "–"}</span>
            {image.frames > 1 && <span class="f">{image.frames} fr</span>}
            {isOpen ? <span class="r">{number}</span> : <span class="new" />}
            {isFound && (
              <span class="found">
                <Icon name="check" size="sm" />
              </span>
            )}
          </button>
        );
      })}
    </aside>
  );
}
