// What the page says first: right or wrong, grounded or not, and whether that is still true.
import { inWords, judge, STALE } from "./numbers";
import { ofCase, prediction, reading, verdict } from "./state";

/** Right or wrong is said against the case's own answer; a reader agrees or does not. */
function AnswerBadge() {
  const model = prediction.value;
  const isRight = ofCase.value?.is_right ?? null;
  if (!model || isRight === null) return null;
  const share = model.choice ? model.option_probabilities?.[model.choice] : undefined;
  const figure = share === undefined ? "" : `, p = ${share.toFixed(2)}`;
  return (
    <span class={isRight ? "badge ok" : "badge bad"} data-answer={isRight ? "right" : "wrong"}>
      Answer {isRight ? "right" : "wrong"}: {model.choice ? `${model.choice}${figure}` : "no option named"}
    </span>
  );
}

function AgreementBadge() {
  const choice = prediction.value?.choice;
  const expert = reading.value;
  if (!choice || !expert?.answer?.choice) return null;
  return choice === expert.answer.choice ? (
    <span class="badge line">
      Same answer as {expert.reader}: {choice}
    </span>
  ) : (
    <span class="badge warn">
      Another answer than {expert.reader}: {choice}, not {expert.answer.choice}
    </span>
  );
}

function GroundingBadge() {
  const row = verdict.value;
  if (row === null) return null;
  if (row.is_grounded === null) {
    const why = inWords(row.why_unknown ?? "not_scored").replace(/\.$/, "");
    return (
      <span class="badge line" data-verdict="undefined">
        Grounding undefined: {why}
      </span>
    );
  }
  const { words } = judge(row.value, row.nulls);
  const where = `layer ${row.layer}${row.rows > 1 ? `, mean of ${row.rows} images` : ""}`;
  return row.is_grounded ? (
    <span class="badge ok" data-verdict="grounded" title={where}>
      Grounded: {words}
    </span>
  ) : (
    <span class="badge warn" data-verdict="not grounded" title={where}>
      Not grounded: {words}
    </span>
  );
}

function StaleBadge() {
  const because = prediction.value?.stale_because ?? verdict.value?.stale_because;
  if (!because) return null;
  return (
    <span class="badge warn" data-stale={because}>
      Stale: {STALE[because] ?? because}
    </span>
  );
}

export function Verdicts() {
  const model = prediction.value;
  if (model === null) return null;
  if (model.state === "queued" || model.state === "running") {
    return <span class="badge line">The model's reading is {model.state}; it appears here by itself</span>;
  }
  if (model.state === "parked") return <span class="badge bad">The model failed: {model.error}</span>;
  return (
    <>
      <AnswerBadge />
      <AgreementBadge />
      <GroundingBadge />
      <StaleBadge />
      {!model.model.is_trained && (
        <span class={model.model.family === "planted" ? "badge info" : "badge warn"} title={model.model.note}>
          {model.model.family === "planted" ? "Planted control: attention by a formula" : "Untrained: a null control"}
        </span>
      )}
    </>
  );
}
