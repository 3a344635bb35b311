import type { JSX } from "preact";
import type { Session } from "../state/session";
import { Cite } from "./Cite";

interface Props {
  session: Session;
  id: string;
  evidence: readonly string[];
}

/** What a step cites. */
export function StepCites({ session, id, evidence }: Props): JSX.Element | null {
  const rois = session.rois.value.filter((roi) => evidence.includes(roi.id));
  if (rois.length === 0) return null;
  return (
    <div class="cites">
      {rois.map((roi) => (
        <Cite key={roi.id} session={session} roi={roi} remove={() => session.form.uncite(id, roi.id)} />
      ))}
    </div>
  );
}

/**
 * How to cite while a step is the active one. In the step's first line, which is there anyway: what is active changes
 * when a pointer goes down, and nothing may move under it before it comes up.
 */
export function CiteHint({ isShort = false }: { isShort?: boolean }): JSX.Element {
  return (
    <span class="cite-hint t2" title="What you draw is cited here; c cites the selected ROI, [[ in the text offers all">
      {!isShort && "draw, "}
      <kbd class="kbd">c</kbd> {isShort ? "" : "or "}
      <kbd class="kbd">[[</kbd>
      {!isShort && " to cite"}
    </span>
  );
}
