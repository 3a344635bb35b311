// How numbers are written: two decimals, three below 0.1, a true minus, and never a made-up zero.
import type { Nulls, Score } from "./data";

export const UNDEFINED = "undefined";
export const NOT_MEASURED = "–";

export function written(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOT_MEASURED;
  const digits = value !== 0 && Math.abs(value) < 0.1 ? 3 : 2;
  const text = value.toFixed(digits);
  // What rounds to nothing has no sign.
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/** Why a number no longer says what it would say now. */
export const STALE: Record<string, string> = {
  input_changed: "the question, options, history or images changed since",
  rendering_changed: "images are rendered another way now",
  prompt_changed: "models are asked in other words now",
  decoding_changed: "the model's decoding changed",
  revision_superseded: "the case, its gold or a reading has a newer revision",
  metric_changed: "the metric has a newer version",
};

const REASONS: Record<string, string> = {
  frame_not_shown: "The model was not shown this frame.",
  no_cell: "The region lies outside what the model was shown.",
  no_option: "The expert or the model named no option.",
  no_roi: "The expert drew no region on this image.",
  no_region: "Nobody drew a region.",
  not_scored: "Not scored yet.",
  no_null: "There is no null to compare with.",
  unusable_map: "The map holds no usable numbers.",
  undefined: "The metric has no value here.",
};

/** A stored reason in words. */
export function inWords(kind: string): string {
  return REASONS[kind] ?? kind.replaceAll("_", " ");
}

/** Why a score has no value, in words. */
export function reason(score: Score): string {
  return inWords(score.unavailable ?? "undefined");
}

/** Why nothing is written where numbers would be; empty where there are numbers. */
export function whyNone(score: Score | null, hasRegion: boolean): string {
  if (score !== null) return score.value === null ? reason(score) : "";
  return hasRegion ? "Not scored yet." : "The expert drew no region on this image: there is nothing to score.";
}

export interface MetricRow {
  name: string;
  title: string;
  chance: string;
  /** 1 if higher is better, -1 if lower is. */
  sense: 1 | -1;
}

export const METRIC_ROWS: readonly MetricRow[] = [
  { name: "attention_ratio", title: "Attention ratio", chance: "1 is chance", sense: 1 },
  { name: "ebpg", title: "Energy in ROI", chance: "chance: share of cells", sense: 1 },
  { name: "kl", title: "KL, nats", chance: "lower is better", sense: -1 },
  { name: "js", title: "JS, nats", chance: "lower is better", sense: -1 },
  { name: "kl_norm", title: "KL, normalised", chance: "0 uniform, 1 perfect", sense: 1 },
  { name: "auroc", title: "AUROC of cells", chance: "0.5 is chance", sense: 1 },
  { name: "pointing_hit", title: "Pointing hit", chance: "top cell in the ROI", sense: 1 },
];

export type Verdict = "grounded" | "not grounded" | "undefined";

export interface Judged {
  verdict: Verdict;
  words: string;
}

/** One case is grounded when its value beats the moved ROI's 95th percentile and every other null that exists. */
export function judge(value: number | null, nulls: Nulls | null): Judged {
  if (value === null || nulls === null) return { verdict: "undefined", words: "no region to hold the map against" };
  const p95 = nulls.moved?.p95 ?? null;
  const figure = `${written(value)}×`;
  if (p95 !== null && value <= p95) return lost(`${figure} is inside the null range, up to ${written(p95)}×`);
  if (nulls.centre !== null && value <= nulls.centre) {
    return lost(`${figure} is not above a plain centre map, ${written(nulls.centre)}×`);
  }
  if (nulls.other_finding !== null && value <= nulls.other_finding) {
    return lost(`${figure} is not above another finding, ${written(nulls.other_finding)}×`);
  }
  if (p95 === null && nulls.centre === null && nulls.other_finding === null) {
    return { verdict: "undefined", words: "no null to compare with" };
  }
  return { verdict: "grounded", words: `${figure} is above every null` };
}

function lost(words: string): Judged {
  return { verdict: "not grounded", words };
}
