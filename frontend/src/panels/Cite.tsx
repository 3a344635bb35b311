import type { JSX } from "preact";
import type { Roi } from "../api/types";
import { labelName, lookOf, roiNumber } from "../state/labels";
import type { Session } from "../state/session";

export function Swatch({ session, label }: { session: Session; label: string | null }): JSX.Element {
  const look = lookOf(label, session.data.protocol.labels);
  const style = { "--c": look.colour, "--d": look.dash } as JSX.CSSProperties;
  return (
    <svg class="swatch" style={style} viewBox="0 0 20 10" aria-hidden="true">
      <line x1="0" y1="5" x2="20" y2="5" />
    </svg>
  );
}

interface CiteProps {
  session: Session;
  roi: Roi;
  remove?: () => void;
}

/** A chip for a ROI: line, number, label; lit while the ROI is. */
export function Cite({ session, roi, remove }: CiteProps): JSX.Element {
  const labels = session.data.protocol.labels;
  const number = roiNumber(session.rois.value, roi.id);
  const name = labelName(roi.label, labels);
  const isLit = session.hovered.value.has(roi.id) || session.selected.value === roi.id;
  const style = { "--c": lookOf(roi.label, labels).colour } as JSX.CSSProperties;
  return (
    <span class={`cite${isLit ? " is-lit" : ""}`} style={style} data-cite={roi.id}>
      <button
        type="button"
        class="cite-go"
        onClick={() => session.reveal(roi)}
        aria-label={`Show ROI ${number} ${name}`}
      >
        <Swatch session={session} label={roi.label} />
        {number} {name}
      </button>
      {remove && (
        <button type="button" class="cite-x" aria-label={`Do not cite ROI ${number}`} onClick={remove}>
          ×
        </button>
      )}
    </span>
  );
}
