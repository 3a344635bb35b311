// The parts of the gold in the making, each to be changed by hand.
import type { JSX } from "preact";
import type { Roi, Step } from "../api/types";
import { kindName } from "../panels/words";
import { removeRoi } from "../state/act";
import { answerText } from "./Answers";
import { board } from "./board";
import type { Draft } from "./data";
import { changeStep, moveStep, outlineRoi, removeStep, takeAnswer } from "./merge";
import { change, draft, page, shownGold } from "./state";
import { Swatch } from "./Tools";
import { lights, roiName } from "./view";

export const MOST_REASON = 2000;

export function AnswerPart({ now }: { now: Draft }): JSX.Element {
  const options = Object.entries(page.value?.case.options ?? {});
  const { answer } = now.content;
  if (options.length > 0)
    return (
      <label class="field">
        <span class="label">Answer</span>
        <select
          class="select"
          value={answer?.choice ?? ""}
          onChange={(event) => {
            const choice = event.currentTarget.value;
            change((was) => takeAnswer(was, choice ? { choice } : null, null));
          }}
        >
          <option value="">no answer</option>
          {options.map(([option, words]) => (
            <option key={option} value={option}>
              {option} {words}
            </option>
          ))}
        </select>
      </label>
    );
  if (answer?.boxes) return <p class="sm">Answer: {answerText(answer)}</p>;
  return (
    <label class="field">
      <span class="label">Answer</span>
      <textarea
        class="textarea"
        rows={2}
        maxLength={10000}
        value={answer?.text ?? ""}
        onInput={(event) => {
          const text = event.currentTarget.value;
          change((was) => ({ ...was, content: { ...was.content, answer: text ? { text } : null } }), {
            merge: "answer",
          });
        }}
      />
    </label>
  );
}

export function RoiPart({ roi, number }: { roi: Roi; number: number }): JSX.Element {
  const isSelected = board.selected.value === roi.id;
  return (
    <li class={`row region-row${isSelected ? " on" : ""}`}>
      <Swatch style="gold" />
      <button
        type="button"
        class="link-like grow trunc"
        aria-pressed={isSelected}
        onClick={() => board.reveal(roi)}
        {...lights(roi.id)}
      >
        <span class="num">{number}</span> {roiName(roi)}
      </button>
      {draft.value && (
        <>
          {roi.shape === "mask" && (
            <button
              type="button"
              class="btn ghost sm"
              title="A polygon instead of the mask's pixels, so that its corners can be moved; holes are filled"
              onClick={() => change((now) => outlineRoi(now, roi.id, () => crypto.randomUUID()))}
            >
              Outline<span class="vh"> region {number} as a polygon</span>
            </button>
          )}
          <button type="button" class="btn ghost sm" onClick={() => removeRoi(board, roi.id)}>
            Remove<span class="vh"> region {number} of the gold</span>
          </button>
        </>
      )}
    </li>
  );
}

export function StepPart({ step, number, last }: { step: Step; number: number; last: number }): JSX.Element {
  const rois = shownGold.value.rois;
  const cites = step.evidence.map((id) => rois.findIndex((roi) => roi.id === id) + 1).filter((at) => at > 0);
  return (
    <li class="gold-step">
      <div class="row between xs t3">
        <span>
          {number}. {kindName(step.kind)}
          {cites.length > 0 && `, rests on region ${cites.join(", ")}`}
        </span>
        <span class="row">
          <button
            type="button"
            class="btn ghost sm"
            disabled={number === 1}
            aria-label={`Move step ${number} up`}
            onClick={() => change((now) => moveStep(now, step.id, -1))}
          >
            ↑
          </button>
          <button
            type="button"
            class="btn ghost sm"
            disabled={number === last}
            aria-label={`Move step ${number} down`}
            onClick={() => change((now) => moveStep(now, step.id, 1))}
          >
            ↓
          </button>
          <button type="button" class="btn ghost sm" onClick={() => change((now) => removeStep(now, step.id))}>
            Remove<span class="vh"> step {number} of the gold</span>
          </button>
        </span>
      </div>
      <textarea
        class="textarea"
        rows={2}
        maxLength={10000}
        aria-label={`Step ${number} of the gold`}
        value={step.text}
        onInput={(event) => {
          const text = event.currentTarget.value;
          change((now) => changeStep(now, step.id, { text }), { merge: `text ${step.id}` });
        }}
      />
      <label class="row sm t2">
        <input
          class="check"
          type="checkbox"
          checked={step.is_critical === true}
          onChange={(event) => {
            const isCritical = event.currentTarget.checked;
            change((now) => changeStep(now, step.id, { is_critical: isCritical }));
          }}
        />
        Critical
      </label>
    </li>
  );
}

export function Reason({ now }: { now: Draft }): JSX.Element {
  return (
    <label class="field">
      <span class="label">Why this is right</span>
      <textarea
        class="textarea"
        rows={3}
        maxLength={MOST_REASON}
        required
        placeholder="In a sentence or two: it goes to the trail and stays with the gold"
        value={now.reason}
        onInput={(event) => {
          const reason = event.currentTarget.value;
          change((was) => ({ ...was, reason }), { merge: "reason" });
        }}
      />
    </label>
  );
}
