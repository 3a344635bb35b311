import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Roi } from "../api/types";
import { removeRoi, setLabel } from "../state/act";
import { labelName, takesShape } from "../state/labels";
import type { Session } from "../state/session";
import { Swatch } from "./Cite";
import { Errors } from "./Errors";
import { Icon } from "./icons";
import { RoiSize } from "./RoiSize";
import { sizeText } from "./words";

/** Where the question is answered by drawing, an empty list says how. */
function isDrawn({ data, handed }: Session): boolean {
  return data.protocol.kind === "vgmed" || handed.value?.case.task === "VG";
}

export function RoiList({ session }: { session: Session }): JSX.Element {
  const onlyHere = useSignal(false);
  const all = session.rois.value;
  const here = session.cell().image.value;
  const rows = all.flatMap((roi, index) => (onlyHere.value && roi.image !== here ? [] : [{ roi, number: index + 1 }]));
  const errors = session.faults.value.filter((error) => error.path.startsWith("rois"));
  return (
    <section class="rois" aria-label="ROIs" tabIndex={-1}>
      <div class="sec">
        <h2>ROIs</h2> <span class="t3 num">{all.length}</span>
        {session.images.value.length > 1 && (
          <span class="end row">
            <button
              type="button"
              class="btn ghost sm"
              aria-pressed={onlyHere.value}
              onClick={() => (onlyHere.value = !onlyHere.value)}
            >
              {onlyHere.value ? "This image" : "All images"}
            </button>
          </span>
        )}
      </div>
      <Errors errors={errors} />
      <ul class="roi-rows">
        {rows.map(({ roi, number }) => (
          <RoiRow key={roi.id} session={session} roi={roi} number={number} />
        ))}
      </ul>
      {all.length === 0 && isDrawn(session) && (
        <p class="rois-none">
          Draw on the image: <kbd class="kbd">r</kbd> box, <kbd class="kbd">o</kbd> ellipse, <kbd class="kbd">p</kbd>{" "}
          polygon.
        </p>
      )}
      <RoiSize session={session} />
    </section>
  );
}

interface RowProps {
  session: Session;
  roi: Roi;
  number: number;
}

/** The same element for the same region: what did not change is not compared again, however long the list is. */
function RoiRow({ session, roi, number }: RowProps): JSX.Element {
  const look = useComputed(() => `roi-row${session.selected.value === roi.id ? " on" : ""}`);
  return useMemo(
    () => (
      <li
        class={look}
        data-roi-row={roi.id}
        onPointerEnter={() => (session.hovered.value = new Set([roi.id]))}
        onPointerLeave={() => (session.hovered.value = new Set())}
      >
        <RowCells session={session} roi={roi} number={number} />
      </li>
    ),
    [session, roi, number, look],
  );
}

function RowCells({ session, roi, number }: RowProps): JSX.Element {
  const labels = session.data.protocol.labels;
  const image = session.image(roi.image);
  const where = `im ${roi.image}${image && image.frames > 1 ? ` f ${roi.frame + 1}` : ""}`;
  return (
    <>
      <Swatch session={session} label={roi.label} />
      <button type="button" class="roi-go num" aria-label={`Show ROI ${number}`} onClick={() => session.reveal(roi)}>
        {number}
      </button>
      {labels.length > 0 ? (
        <select
          class="kind-select"
          aria-label={`Label of ROI ${number}`}
          value={roi.label ?? ""}
          onChange={(event) => setLabel(session, roi.id, event.currentTarget.value || null)}
        >
          <option value="">no label</option>
          {labels.map((label) => (
            <option key={label.id} value={label.id} disabled={!takesShape(label, roi.shape)}>
              {label.name}
            </option>
          ))}
        </select>
      ) : (
        <span class="trunc">{labelName(roi.label, labels) || roi.shape}</span>
      )}
      <span class="num">{where}</span>
      <span class="num">{sizeText(roi, image)}</span>
      <button
        type="button"
        class="btn ghost icon sm"
        aria-label={`Delete ROI ${number}`}
        title="Delete (Del)"
        onClick={() => removeRoi(session, roi.id)}
      >
        <Icon name="bin" size="sm" />
      </button>
    </>
  );
}
