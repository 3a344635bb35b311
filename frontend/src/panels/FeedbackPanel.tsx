import type { JSX } from "preact";
import type { Answer } from "../api/types";
import { type Feedback, leaveFeedback } from "../state/feedback";
import { labelName } from "../state/labels";
import type { Session } from "../state/session";
import { Icon } from "./icons";

/** An answer with its option's words; empty for none. */
export function answerWords(answer: Answer | string | null, options: Record<string, string> | null): string {
  const said = typeof answer === "string" ? answer : (answer?.choice ?? answer?.text ?? "");
  const words = options?.[said];
  return words ? `${said}, ${words}` : said;
}

/** In training, beside the images of the reading just submitted: what the gold says. */
export function FeedbackPanel({ session, told }: { session: Session; told: Feedback }): JSX.Element {
  return (
    <section class="told" aria-label="What the gold says" data-testid="feedback">
      <h2 class="aid-head">
        <Icon name="info" size="sm" />
        Training: what the gold says
      </h2>
      {told.is_known ? (
        <Held session={session} told={told} />
      ) : (
        <p class="t2">This case has no gold yet: there is nothing to hold your reading against.</p>
      )}
      <button
        type="button"
        class="btn primary"
        disabled={session.submitting.value}
        onClick={() => void leaveFeedback(session)}
      >
        Next case <kbd class="kbd">Ctrl ⏎</kbd>
      </button>
      <p class="sm t3">
        You see this since this benchmark is in training mode. A revision of this reading from now on is marked as made
        after it.
      </p>
    </section>
  );
}

function Verdict({ isRight }: { isRight: boolean | null }): JSX.Element | null {
  if (isRight === null) return null;
  return (
    <span class={`badge ${isRight ? "ok" : "warn"}`}>
      <Icon name={isRight ? "check" : "cross"} size="sm" />
      {isRight ? "right" : "wrong"}
    </span>
  );
}

function Held({ session, told }: { session: Session; told: Feedback }): JSX.Element {
  const options = session.handed.value?.case.options ?? null;
  const steps = told.steps.filter((step) => step.text);
  return (
    <>
      <dl class="told-facts">
        <dt>Your answer</dt>
        <dd>
          {answerWords(session.store.content.value.answer, options) || "none"} <Verdict isRight={told.is_right} />
        </dd>
        <dt>Gold</dt>
        <dd>{answerWords(told.answer, options) || "no answer"}</dd>
        <dt>Regions</dt>
        <dd>
          {told.region_iou === null ? (
            <span class="undefined" title="The gold has no region">
              –
            </span>
          ) : (
            <>
              <span class="num">{told.region_iou.toFixed(2)}</span>{" "}
              <span class="t3">mean IoU with the gold's; an unmatched one counts 0</span>
            </>
          )}
        </dd>
      </dl>
      {told.rois.length > 0 && (
        <ul class="told-regions">
          {told.rois.map((roi, index) => (
            <li key={roi.id}>
              <button type="button" class="told-go" onClick={() => session.goTo(roi)}>
                <svg class="line-key" viewBox="0 0 24 8" aria-hidden="true">
                  <path d="M1 4h22" />
                </svg>
                Gold {index + 1}: {labelName(roi.label, session.labels) || "no label"}, image {roi.image}
              </button>
            </li>
          ))}
        </ul>
      )}
      {told.reason && (
        <div>
          <h3>Why</h3>
          <p class="t2 told-words">{told.reason}</p>
        </div>
      )}
      {steps.length > 0 && (
        <div>
          <h3>Steps of the gold</h3>
          <ol class="aid-steps">
            {steps.map((step, index) => (
              <li key={index}>{step.text}</li>
            ))}
          </ol>
        </div>
      )}
    </>
  );
}
