// Who settled the case before, why, and the way back.
import type { JSX } from "preact";
import { when } from "../panels/words";
import { question } from "./Ask";
import type { Review } from "./data";
import { reviews, undo } from "./state";

const WORDS = { open: "open", escalated: "escalated", closed: "closed", reverted: "reverted", discarded: "set aside" };

function askUndo(review: Review): void {
  question.value = {
    title: `Revert review ${review.number}`,
    words: review.gold_before
      ? `Gold revision ${review.gold_before} comes back as a new revision. Nothing is deleted.`
      : "The case will have no gold, as before. Nothing is deleted.",
    act: "Revert",
    send: (reason) => undo(review, reason),
  };
}

function Entry({ review }: { review: Review }): JSX.Element {
  return (
    <li class="stack history-entry">
      <div class="row between">
        <span>
          <b>Review {review.number}</b> <span class="badge">{WORDS[review.state]}</span>
        </span>
        {review.can_revert && (
          <button type="button" class="btn sm" onClick={() => askUndo(review)}>
            Revert<span class="vh"> review {review.number}</span>
          </button>
        )}
      </div>
      <p class="sm t2">
        {review.closed_by ? `${review.closed_by.name}, ${when(review.closed_at)}` : `${review.opened_by.name} began it`}
        {review.gold_revision !== null && `: gold ${review.gold_revision}`}
        {review.gold_before > 0 && `, before it ${review.gold_before}`}
      </p>
      {review.has_read_case && <p class="sm warn">Whoever closed it had read the case too.</p>}
      {!review.is_open && review.reason && <p class="sm">{review.reason}</p>}
      {review.escalation_reason && (
        <p class="sm t2">
          Handed to {review.escalated_to?.name}: {review.escalation_reason}
        </p>
      )}
      {review.reverted_by && (
        <p class="sm t2">
          Reverted by {review.reverted_by.name}, {when(review.reverted_at)}: {review.revert_reason}
        </p>
      )}
    </li>
  );
}

export function History(): JSX.Element {
  return (
    <section class="card" aria-labelledby="history-title">
      <div class="card-head">
        <h2 id="history-title">History</h2>
        <span class="t3">{reviews.value.length}</span>
      </div>
      {reviews.value.length === 0 ? (
        <p class="card-body t2">Nobody has reviewed this case yet.</p>
      ) : (
        <ul class="card-body stack">
          {reviews.value.map((review) => (
            <Entry key={review.id} review={review} />
          ))}
        </ul>
      )}
    </section>
  );
}
