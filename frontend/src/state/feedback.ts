import { call } from "../api/client";
import type { Answer, Roi } from "../api/types";
import type { Session } from "./session";

/** What a reader in training is told after the own submit, as the server sends it. */
export interface Feedback {
  reading: string;
  /** Whether the case has gold at all. */
  is_known: boolean;
  is_right: boolean | null;
  region_iou: number | null;
  answer: Answer | string | null;
  rois: Roi[];
  steps: { text: string }[];
  reason: string;
}

/** The address of the same as a page of its own: what a reload and the browser's history lead to. */
export function feedbackAddress(session: Session, reading: string): string {
  return `/read/${session.data.benchmark.slug}/feedback/${reading}/`;
}

/** Shows the gold over the reading just submitted, which can be changed no more; where it cannot come, its page does. */
export async function openFeedback(session: Session, reading: string): Promise<void> {
  const address = feedbackAddress(session, reading);
  const told = await call<Feedback>(`${session.api}readings/${reading}/feedback/`).catch(() => null);
  if (!told) {
    location.assign(address);
    return;
  }
  session.leaseUntil.value = null;
  session.selected.value = null;
  session.tool.value = "select";
  session.feedback.value = told;
  session.panel.value = true;
  const [first] = told.rois;
  if (first) session.goTo(first);
  history.replaceState(null, "", address);
}

/** Goes on to the next case. */
export async function leaveFeedback(session: Session): Promise<void> {
  if (session.submitting.peek()) return;
  session.submitting.value = true;
  await session.askNext();
  session.submitting.value = false;
  if (session.feedback.peek()) {
    session.tell("The next case did not come: the server did not answer. Try again");
    return;
  }
  session.followedAt = Date.now();
  history.replaceState(null, "", `/read/${session.data.benchmark.slug}/`);
}
