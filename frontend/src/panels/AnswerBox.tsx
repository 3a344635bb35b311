import type { JSX } from "preact";
import { setAnswer } from "../state/edits";
import type { Session } from "../state/session";
import { Errors } from "./Errors";

/** Some questions only ask where to look: no answer is wanted, so no field for one stands there. */
function isAskedFor({ data }: Session): boolean {
  return data.protocol.kind !== "vgmed" || data.protocol.required.includes("answer");
}

export function AnswerBox({ session }: { session: Session }): JSX.Element {
  const { answer, confidence } = session.store.content.value;
  const options = session.handed.value?.case.options ?? null;
  const percent = confidence === null ? null : Math.round(confidence * 100);
  const errors = session.faults.value.filter(({ path }) => path.startsWith("answer") || path.startsWith("confidence"));
  const isAsked = options !== null || answer !== null || isAskedFor(session);
  return (
    <section class="answer" aria-label={isAsked ? "Answer" : "Confidence"}>
      <div class="sec">
        <h2>{isAsked ? "Answer" : "Your certainty"}</h2>
        <span class="conf end">
          <label for="confidence">Confidence</label>
          <input
            id="confidence"
            class="range"
            type="range"
            min="0"
            max="100"
            step="5"
            value={percent ?? 50}
            style={{ "--at": `${percent ?? 0}%` } as JSX.CSSProperties}
            aria-valuetext={percent === null ? "not set" : `${percent} %`}
            onInput={(event) => {
              const value = Number(event.currentTarget.value) / 100;
              session.store.change((content) => ({ ...content, confidence: value }), "confidence");
            }}
            onChange={() => session.store.seal()}
          />
          <span class="num strong percent">{percent === null ? "not set" : `${percent}\u00a0%`}</span>
        </span>
      </div>
      {!isAsked ? null : options ? (
        <div class="opts" role="radiogroup" aria-label="Options">
          {Object.entries(options).map(([letter, text]) => (
            <label key={letter} class={`opt${answer?.choice === letter ? " on" : ""}`}>
              <input
                type="radio"
                class="vh"
                name="answer"
                value={letter}
                checked={answer?.choice === letter}
                onChange={() => session.store.change((content) => setAnswer(content, { choice: letter }))}
              />
              <span class="l" aria-hidden="true">
                {letter}
              </span>
              <span class="vh">{letter}: </span>
              <span class="option-text">{text}</span>
            </label>
          ))}
        </div>
      ) : (
        <div class="opts">
          <textarea
            class="textarea"
            rows={2}
            maxLength={10_000}
            aria-label="Answer in words"
            value={answer?.text ?? ""}
            onInput={(event) => {
              const text = event.currentTarget.value;
              session.store.change((content) => setAnswer(content, text === "" ? null : { text }), "answer");
            }}
            onBlur={() => session.store.seal()}
          />
        </div>
      )}
      <Errors errors={errors} />
    </section>
  );
}
