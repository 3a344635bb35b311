import { ApiError, call } from "../api/client";
import type { Content } from "../api/types";
import { leaveFeedback, openFeedback } from "./feedback";
import { readingQueue } from "./queue";
import { missing } from "./required";
import type { Session } from "./session";

const LOCKED =
  "This reading was submitted from another page. What differs here stays on this computer; load the page again for the next case.";

/** A second press this soon after a submit was meant for the case before, not for the one that has just come. */
const SETTLE_MS = 700;

/** The button's and the key's submit: a double click or a second press is one submit. */
export async function submitByHand(session: Session): Promise<void> {
  if (Date.now() - session.followedAt < SETTLE_MS) return;
  if (session.isLocked) {
    await leaveFeedback(session);
    return;
  }
  const open = session.trace.peek();
  if (open) {
    session.notice.value = `A polygon on image ${open.image} is open. Close it with Enter or cancel it with Esc, then submit.`;
    return;
  }
  await submitReading(session);
}

/**
 * Sends the reading in: first what is unsaved, then the submit under a key that stays on this computer until the server
 * has decided, so that a second try after a lost answer or a killed tab is the same submit.
 */
export async function submitReading(session: Session): Promise<void> {
  const handed = session.handed.peek();
  const autosave = session.autosave.peek();
  if (!handed || !autosave || session.submitting.peek() || session.isLocked) return;
  if (autosave.state.peek().kind === "locked") {
    session.errors.value = [];
    session.notice.value = LOCKED;
    return;
  }
  const errors = missing(session.store.content.peek(), session.data.protocol.required, handed.case);
  session.errors.value = errors;
  session.notice.value = null;
  if (errors.length) return;
  session.submitting.value = true;
  try {
    if (!(await autosave.flush())) {
      const state = autosave.state.peek();
      if (state.kind === "conflict") session.dialog.value = "versions";
      else if (state.kind === "refused") session.errors.value = state.errors;
      else if (state.kind === "locked") session.notice.value = LOCKED;
      else session.notice.value = "Submitting waits: the draft is not on the server yet. It is kept on this computer.";
      return;
    }
    await send(session, handed.reading.id, autosave.version);
    autosave.stop();
    const { benchmark } = session.data;
    session.done.value += 1;
    if (benchmark.is_training && !session.aided) {
      await openFeedback(session, handed.reading.id);
      session.followedAt = Date.now();
      return;
    }
    session.toast.value = {
      text: `Reading of case ${handed.case.key} submitted`,
      link: { href: `/cases/${handed.case.id}/`, text: "See how models read it" },
      also: { href: `/read/${benchmark.slug}/again/${handed.reading.id}/`, text: "Read again, aided" },
    };
    await session.askNext();
    session.followedAt = Date.now();
  } catch (error) {
    failed(session, error);
  } finally {
    session.submitting.value = false;
  }
}

async function send(session: Session, reading: string, version: number): Promise<void> {
  const queue = readingQueue(session.data.user.id, reading);
  const pending = await queue.pendingSubmit().catch(() => undefined);
  const key = pending?.key ?? crypto.randomUUID();
  await queue.keepSubmit({ key, version }).catch(() => undefined);
  try {
    await call(`${session.api}readings/${reading}/submit/`, {
      method: "POST",
      body: { version },
      headers: { "Idempotency-Key": key },
    });
  } catch (error) {
    // Undecided (no answer, signed out): the key stays. Decided: the next submit is another one.
    if (!(error instanceof ApiError) || error.isTransient || error.isSignedOut) throw error;
    await queue.dropSubmit().catch(() => undefined);
    throw error;
  }
  await queue.dropSubmit().catch(() => undefined);
}

function failed(session: Session, error: unknown): void {
  const problem = error instanceof ApiError ? error : new ApiError(0, null, String(error));
  if (problem.kind === "overlap-reached") {
    session.standing.value = "surplus";
  } else if (problem.kind === "stale-draft") {
    const { theirs, version } = problem.body ?? {};
    if (theirs && version !== undefined)
      session.autosave.peek()?.found(session.store.content.peek(), theirs as Content, version);
    session.dialog.value = "versions";
  } else if (problem.isSignedOut) {
    session.notice.value = "You are signed out. Everything is kept on this computer; log in again and submit.";
  } else if (problem.isTransient) {
    session.notice.value = "The server did not answer. Submit again: it is counted once.";
  } else {
    session.errors.value = problem.errors;
    if (problem.errors.length === 0) session.notice.value = problem.message;
  }
}
