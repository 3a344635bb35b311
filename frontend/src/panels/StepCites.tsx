import type { JSX } from "preact";
import type { Session } from "../state/session";
import { Cite } from "./Cite";

interface Props {
  session: Session;
  id: string;
  evidence: readonly string[];
  isActive: boolean;
}

/** What a step cites, and how to cite more while it is the active one. */
export function StepCites({ session, id, evidence, isActive }: Props): JSX.Element | null {
  const rois = session.rois.value.filter((roi) => evidence.includes(roi.id));
  if (rois.length === 0 && !isActive) return null;
  return (
    <div class="cites">
      {rois.map((roi) => (
        <Cite key={roi.id} session={session} roi={roi} remove={() => session.form.uncite(id, roi.id)} />
      ))}
      {isActive && (
        <span class="cite-hint t2">
          {rois.length === 0 && "draw to cite, or "}
          <kbd class="kbd">c</kbd> <kbd class="kbd">[[</kbd>
        </span>
      )}
    </div>
  );
}
