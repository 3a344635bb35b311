// What is looked at: signals that the parts of the page read, and the calls that fill them.
import { computed, signal } from "@preact/signals";
import { ApiError } from "../api/client";
import {
  type CaseData,
  fetchHeat,
  fetchScores,
  type Gold,
  type HeatMap,
  type Prediction,
  type ReadingSummary,
  type Score,
  type Scores,
  type Verdict,
} from "./data";
import { whyNone } from "./numbers";
import { standing } from "./standing";

export type Target = ReadingSummary;

export const caseData = signal<CaseData | null>(null);
export const scores = signal<Scores | null>(null);
export const failure = signal<string>("");
export const chosenPrediction = signal<string | null>(null);
export const chosenReading = signal<string | null>(null);
export const chosenPlace = signal<{ image: number; frame: number } | null>(null);
export const chosenLayer = signal<number | null>(null);
export const mapKind = signal<"relative" | "absolute">("relative");
export const roiRule = signal<"box" | "mask">("box");
export const isSmooth = signal(false);
export const opacity = signal(0.75);
export const heat = signal<HeatMap | null>(null);

/** The model that the page's address asks for. */
export const wantedModel = signal<string | null>(null);

export const prediction = computed<Prediction | null>(() => {
  const all = scores.value?.predictions ?? [];
  const wanted = wantedModel.value;
  return (
    all.find((row) => row.id === chosenPrediction.value) ??
    all.find((row) => row.model.name === wanted) ??
    all[0] ??
    null
  );
});

function goldTarget(id: string, gold: Gold): Target {
  const answer = typeof gold.answer === "string" ? { choice: gold.answer } : gold.answer;
  return { id, reader: "Gold", revision: gold.revision, answer, rois: gold.rois };
}

/** Whose word the model can be held against: the experts' readings, and the gold for those who may see it. */
export const targets = computed<Target[]>(() => {
  const found = scores.value;
  if (!found) return [];
  return found.gold ? [...found.readings, goldTarget(found.case, found.gold)] : found.readings;
});
export const reading = computed(
  () => targets.value.find((row) => row.id === chosenReading.value) ?? targets.value[0] ?? null,
);
function verdictOn(kind: string, id: string | undefined): Verdict | null {
  const rows = scores.value?.verdicts.filter((row) => row.prediction === prediction.value?.id) ?? [];
  return rows.find((row) => row.target.kind === kind && row.target.id === id) ?? null;
}
/** What stands of the model against the chosen target. */
export const verdict = computed(() =>
  verdictOn(reading.value?.id === scores.value?.case ? "gold" : "reading", reading.value?.id),
);
/** What stands of the model on the case as a whole; only who may see everybody's readings and the gold has it. */
export const ofCase = computed(() => verdictOn("case", scores.value?.case));
/** The image and frame on show: chosen, else the first that carries a region, else the first. */
export const place = computed(() => {
  if (chosenPlace.value) return chosenPlace.value;
  const scored = scores.value?.results.find((row) => row.image !== null && row.value !== null);
  if (scored && scored.image !== null) return { image: scored.image, frame: scored.frame ?? 0 };
  const roi = reading.value?.rois[0];
  return roi ? { image: roi.image, frame: roi.frame } : { image: 1, frame: shownFrame(1) };
});
export const image = computed(
  () => caseData.value?.case.images.find((row) => row.number === place.value.image) ?? null,
);
export const layer = computed(() => {
  const last = (prediction.value?.model.layers ?? 1) - 1;
  return Math.min(chosenLayer.value ?? prediction.value?.model.headline_layer ?? last, Math.max(last, 0));
});

function shownFrame(number: number): number {
  const frames = caseData.value?.case.images.find((row) => row.number === number)?.frames ?? 1;
  return Math.floor(frames / 2);
}

/** Every score of what is on show, all layers and metrics; of an older revision only until the newer one is scored. */
export const shown = computed<Score[]>(() =>
  standing(
    (scores.value?.results ?? []).filter(
      (row) =>
        row.prediction === prediction.value?.id &&
        row.target.id === reading.value?.id &&
        row.image === place.value.image &&
        row.frame === place.value.frame &&
        (row.map === mapKind.value || row.map === null) &&
        (row.roi_rule === roiRule.value || row.roi_rule === null),
    ),
  ),
);

export function scoreOf(metric: string, at: number = layer.value): Score | null {
  return shown.value.find((row) => row.metric === metric && (row.layer === at || row.layer === null)) ?? null;
}

/** The expert's regions on the image and frame on show. */
export const regions = computed(() =>
  (reading.value?.rois ?? []).filter((roi) => roi.image === place.value.image && roi.frame === place.value.frame),
);

/** Why the image and frame on show have no number, in words. */
export const whyNoNumber = computed(() =>
  reading.value === null
    ? "No reading is submitted and there is no gold: there is nothing to score against."
    : whyNone(scoreOf("attention_ratio"), regions.value.length > 0),
);

export async function load(caseId: string): Promise<void> {
  try {
    scores.value = await fetchScores(caseId);
    failure.value = "";
  } catch (error) {
    failure.value = error instanceof ApiError ? error.message : "The scores could not be read.";
  }
}

let asked = 0;

/** Fetch the map of what is on show; an answer that comes after a newer question is dropped. */
export async function loadHeat(): Promise<void> {
  const model = prediction.value;
  const { image: number, frame } = place.value;
  asked += 1;
  const mine = asked;
  // A frame that the model was not shown has no map: nothing is asked for.
  const isShown = model?.maps.some((map) => map.image === number && map.frame === frame);
  if (model === null || model.state !== "done" || !isShown) {
    heat.value = null;
    return;
  }
  try {
    const found = await fetchHeat({
      prediction: model.id,
      image: number,
      frame,
      layer: layer.value,
      map: mapKind.value,
    });
    if (mine === asked) heat.value = found;
  } catch {
    if (mine === asked) heat.value = null;
  }
}
