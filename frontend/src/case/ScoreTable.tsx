// Every number beside its chance level and its nulls; a bare number is a bug.
import type { Disagreement, Score } from "./data";
import { METRIC_ROWS, type MetricRow, NOT_MEASURED, reason, STALE, UNDEFINED, written } from "./numbers";
import { image, layer, mapKind, place, prediction, reading, roiRule, scoreOf, scores, whyNoNumber } from "./state";

function Value({ score }: { score: Score | null }) {
  if (score === null) return <span title="No region on this image to score against">{NOT_MEASURED}</span>;
  if (score.value === null) {
    return (
      <span class="undefined" title={reason(score)}>
        {UNDEFINED}
      </span>
    );
  }
  if (score.metric === "pointing_hit") return <Hit value={score.value} />;
  return <>{written(score.value)}</>;
}

/** Yes or no; where several cells share the peak, the share of them in the region. */
function Hit({ value }: { value: number }) {
  if (value === 0 || value === 1) return <>{value === 1 ? "yes" : "no"}</>;
  return <span title="Several cells share the peak; this share of them lies in the region">tie, {written(value)}</span>;
}

function NullCells({ score }: { score: Score | null }) {
  const nulls = score?.nulls;
  const moved = nulls?.moved;
  return (
    <>
      <td class="n t2">{written(nulls?.centre)}</td>
      <td class="n t2" title={moved ? `${moved.n} places` : "no null here"}>
        {moved ? `${written(moved.median)}, ${written(moved.p95)}` : NOT_MEASURED}
      </td>
      <td class="n t2" title={nulls?.other_finding == null ? "No other finding on this image" : ""}>
        {written(nulls?.other_finding)}
      </td>
    </>
  );
}

function chance(row: MetricRow, score: Score | null): string {
  const isShare = row.name === "ebpg" || row.name === "pointing_hit";
  if (isShare && score?.n_cells && score.roi_cells !== null)
    return `chance ${written(score.roi_cells / score.n_cells)}`;
  return row.chance;
}

function staleWords(score: Score): string {
  return STALE[score.stale_because ?? ""] ?? score.stale_because ?? "";
}

export function ScoreTable() {
  const first = scoreOf("attention_ratio");
  const cells = first?.n_cells ? `${first.roi_cells} of ${first.n_cells} cells in the ROI` : "no scored region";
  const isStale = METRIC_ROWS.map((row) => scoreOf(row.name)).find((score) => score?.is_stale);
  return (
    <section class="card">
      <div class="card-head">
        <h2>Grounding</h2>
        <span class="t3">
          layer {layer.value}, {cells}
        </span>
        {isStale && (
          <span class="badge warn end" data-testid="stale" title={staleWords(isStale)}>
            stale<span class="vh">: {staleWords(isStale)}</span>
          </span>
        )}
      </div>
      {whyNoNumber.value && prediction.value?.state === "done" && (
        <p class="no-number" data-testid="no-number">
          {whyNoNumber.value}
        </p>
      )}
      <table class="table scores" aria-label="Grounding scores">
        <thead>
          <tr>
            <th>Metric</th>
            <th class="n">Value</th>
            <th class="n" title="The same metric of a plain map that only favours the centre">
              Centre map
            </th>
            <th class="n" title="The same region moved to other places: median, 95th percentile">
              ROI moved
              <small>median, 95th</small>
            </th>
            <th class="n" title="Another finding of the same image">
              Other finding
            </th>
          </tr>
        </thead>
        <tbody>
          {METRIC_ROWS.map((row) => {
            const score = scoreOf(row.name);
            return (
              <tr key={row.name} data-metric={row.name}>
                <td>
                  <span class="med">{row.title}</span>
                  <small>{chance(row, score)}</small>
                </td>
                <td class="n strong" data-value={score?.value ?? ""}>
                  <Value score={score} />
                  {score?.is_stale && (
                    <span class="badge warn was" title={staleWords(score)}>
                      stale
                    </span>
                  )}
                </td>
                <NullCells score={score} />
              </tr>
            );
          })}
        </tbody>
      </table>
      <div class="card-foot">
        <div class="seg" role="group" aria-label="Map">
          {(["relative", "absolute"] as const).map((kind) => (
            <button
              key={kind}
              type="button"
              aria-pressed={mapKind.value === kind}
              onClick={() => (mapKind.value = kind)}
            >
              {kind === "relative" ? "Relative" : "Absolute"}
            </button>
          ))}
        </div>
        <div class="seg" role="group" aria-label="Region to cells">
          {(["box", "mask"] as const).map((rule) => (
            <button
              key={rule}
              type="button"
              aria-pressed={roiRule.value === rule}
              onClick={() => (roiRule.value = rule)}
            >
              {rule === "box" ? "Bounding box" : "Mask"}
            </button>
          ))}
        </div>
        <span class="t3 end">
          image {place.value.image}
          {(image.value?.frames ?? 1) > 1 ? `, frame ${place.value.frame + 1}` : ""}
        </span>
      </div>
    </section>
  );
}

function Part({ name, value, words }: { name: string; value: number | null; words: string }) {
  return (
    <div class="part" data-part={name.toLowerCase()}>
      <span class="t2" title={words}>
        {name}
      </span>
      <meter class="part-bar" min={0} max={1} value={value ?? 0} aria-label={`${name} disagreement`} />
      <span class="num" title={value === null ? words : ""}>
        {written(value)}
      </span>
    </div>
  );
}

export function DisagreementCard() {
  const found: Disagreement | undefined = scores.value?.disagreement.find(
    (row) => row.prediction === prediction.value?.id && row.reading === reading.value?.id,
  );
  return (
    <section class="card">
      <div class="card-head">
        <h2>Disagreement</h2>
        <span class="t3">{reading.value?.reader ?? "expert"} against model</span>
      </div>
      <div class="card-body parts">
        <Part
          name="Answer"
          value={found?.answer ?? null}
          words="1 minus the model's probability of the expert's option"
        />
        <Part
          name="Region"
          value={found?.region ?? null}
          words="1 minus the AUROC of the map's cells against the expert's region"
        />
        <p class="xs t3">
          {reading.value?.id === scores.value?.case
            ? "Disagreement is measured against readings; this is the gold."
            : "0 is agreement. The two are shown apart and not summed."}
        </p>
      </div>
    </section>
  );
}
