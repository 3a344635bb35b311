// The parts of the comparison, in the order they answer the page's question.

import type { Model } from "./data";
import { LayerPlot } from "./LayerPlot";
import { DisagreementCard, ScoreTable } from "./ScoreTable";
import {
  caseData,
  chosenPlace,
  chosenPrediction,
  chosenReading,
  failure,
  isSmooth,
  opacity,
  place,
  prediction,
  reading,
  scores,
  targets,
} from "./state";
import { Verdicts } from "./Verdicts";
import { Views } from "./Views";

function controlWord(model: Model): string {
  if (model.is_trained) return "";
  return model.family === "planted" ? " (planted control)" : " (untrained)";
}

function Choices() {
  const found = scores.value;
  if (found === null) return null;
  return (
    <div class="row wrap">
      <label class="row sm t2">
        Model
        <select
          class="select sm"
          value={prediction.value?.id ?? ""}
          onChange={(event) => (chosenPrediction.value = event.currentTarget.value)}
        >
          {found.predictions.map((row) => (
            <option key={row.id} value={row.id}>
              {row.model.name}
              {controlWord(row.model)}
            </option>
          ))}
        </select>
      </label>
      {targets.value.length > 1 && (
        <label class="row sm t2">
          Held against
          <select
            class="select sm"
            value={reading.value?.id ?? ""}
            onChange={(event) => (chosenReading.value = event.currentTarget.value)}
          >
            {targets.value.map((row) => (
              <option key={row.id} value={row.id}>
                {row.reader}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}

function Toolbar() {
  const images = caseData.value?.case.images ?? [];
  const rois = reading.value?.rois ?? [];
  const go = (number: number) => {
    const roi = rois.find((row) => row.image === number);
    const frames = images.find((row) => row.number === number)?.frames ?? 1;
    chosenPlace.value = { image: number, frame: roi?.frame ?? Math.floor(frames / 2) };
  };
  return (
    <div class="row between wrap cmp-tools">
      <div class="seg" role="group" aria-label="Image">
        {images.map((row) => (
          <button
            key={row.number}
            type="button"
            aria-pressed={place.value.image === row.number}
            onClick={() => go(row.number)}
          >
            Image {row.number}
            {rois.some((roi) => roi.image === row.number) && <span class="dot acc" title="has a ROI" />}
          </button>
        ))}
      </div>
      <div class="row sm t2">
        <span>Map</span>
        <div class="seg" role="group" aria-label="Map drawing">
          <button type="button" aria-pressed={!isSmooth.value} onClick={() => (isSmooth.value = false)}>
            Cells
          </button>
          <button type="button" aria-pressed={isSmooth.value} onClick={() => (isSmooth.value = true)}>
            Smooth
          </button>
        </div>
        <label class="row">
          Opacity
          <input
            class="opacity"
            type="range"
            min="0"
            max="1"
            step="0.05"
            value={opacity.value}
            onInput={(event) => (opacity.value = event.currentTarget.valueAsNumber)}
          />
        </label>
      </div>
    </div>
  );
}

function ModelWords() {
  const model = prediction.value;
  if (model === null || model.state !== "done") return null;
  const options = caseData.value?.case.options ?? {};
  return (
    <section class="card">
      <div class="card-head">
        <h2>What the model said</h2>
        <span class="t3">{model.model.name}</span>
      </div>
      <div class="card-body">
        {model.option_probabilities && (
          <ul class="options">
            {Object.entries(model.option_probabilities).map(([letter, share]) => (
              <li key={letter} class={letter === model.choice ? "is-chosen" : ""}>
                <b>{letter}</b>
                <span class="grow">{options[letter] ?? ""}</span>
                <span class="num">{share.toFixed(2)}</span>
              </li>
            ))}
          </ul>
        )}
        <p class="t2">
          <span class="t3">Its text, word for word:</span> {model.text || "none"}
        </p>
      </div>
    </section>
  );
}

export function CasePage() {
  if (failure.value) {
    return (
      <div class="notice bad" role="alert">
        <div class="grow">{failure.value}</div>
      </div>
    );
  }
  if (scores.value === null) return <p class="t3">Loading the comparison…</p>;
  if (scores.value.predictions.length === 0) {
    return (
      <p class="notice">
        No model has read this case. An engineer enrols one; its reading then appears here by itself.
      </p>
    );
  }
  return (
    <>
      <div class="row between wrap verdicts">
        <div class="row wrap" role="status" aria-live="polite">
          <Verdicts />
        </div>
        <Choices />
      </div>
      <div class="cmp-top">
        <div class="stack side">
          <div class="card cmp-card">
            <Toolbar />
            <Views />
            <LayerPlot />
          </div>
          <ModelWords />
        </div>
        <div class="stack side">
          <ScoreTable />
          <DisagreementCard />
        </div>
      </div>
    </>
  );
}
