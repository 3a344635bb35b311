// What the comparison page shows, as GET /api/v1/cases/{id}/scores/ and …/heatmap/ send it.
import { call } from "../api/client";
import type { ImageInfo, Roi } from "../api/types";

export interface CaseData {
  case: { id: string; key: string; question: string; options: Record<string, string> | null; images: ImageInfo[] };
  is_blind: boolean;
}

export interface Model {
  name: string;
  family: string;
  is_trained: boolean;
  note: string;
  layers: number;
  headline_layer: number;
}

export interface Prediction {
  id: string;
  model: Model;
  state: "queued" | "running" | "done" | "parked" | "cancelled";
  error: string;
  choice: string | null;
  option_probabilities: Record<string, number> | null;
  text: string;
  /** Frames that were shown to the model: only these have a map. */
  maps: { image: number; frame: number }[];
  is_stale: boolean;
  stale_because: string | null;
}

export interface ReadingSummary {
  id: string;
  reader: string;
  revision: number;
  answer: { choice?: string; text?: string } | null;
  rois: Roi[];
}

export interface Nulls {
  centre: number | null;
  moved: { median: number | null; p95: number | null; n?: number } | null;
  other_finding: number | null;
}

export interface Score {
  prediction: string;
  target: { kind: string; id: string; revision: number };
  image: number | null;
  frame: number | null;
  layer: number | null;
  map: "relative" | "absolute" | null;
  roi_rule: "box" | "mask" | null;
  metric: string;
  value: number | null;
  unavailable: string | null;
  n_cells: number | null;
  roi_cells: number | null;
  nulls: Nulls | null;
  is_stale: boolean;
  stale_because: string | null;
  /** Something newer was measured in its place, or there is nothing to measure any more. */
  is_replaced: boolean;
}

export interface Gold {
  revision: number;
  answer: { choice?: string } | string | null;
  rois: Roi[];
}

export interface Verdict {
  prediction: string;
  target: { kind: "case" | "reading" | "gold"; id: string };
  is_right: boolean | null;
  is_grounded: boolean | null;
  why_unknown: string | null;
  layer: number;
  value: number | null;
  rows: number;
  nulls: Nulls;
  is_stale: boolean;
  stale_because: string | null;
}

export interface Disagreement {
  prediction: string;
  reading: string;
  answer: number | null;
  region: number | null;
}

export interface Scores {
  case: string;
  is_blind: boolean;
  predictions: Prediction[];
  readings: ReadingSummary[];
  gold: Gold | null;
  verdicts: Verdict[];
  results: Score[];
  disagreement: Disagreement[];
}

export interface Transform {
  image_size: [number, number];
  scale_xy: [number, number];
  offset_xy: [number, number];
  grid_shape: [number, number];
  cell_size: [number, number];
}

export interface HeatMap {
  rows: number;
  columns: number;
  values: number[][];
  layer: number;
  map: string;
  transform: Transform;
}

export function fetchScores(caseId: string): Promise<Scores> {
  return call<Scores>(`/api/v1/cases/${caseId}/scores/`);
}

export interface Shown {
  prediction: string;
  image: number;
  frame: number;
  layer: number;
  map: string;
}

export async function fetchHeat({ prediction, ...shown }: Shown): Promise<HeatMap> {
  const query = new URLSearchParams(Object.entries(shown).map(([name, value]) => [name, `${value}`]));
  const sent = await call<Omit<HeatMap, "values"> & { values: number[] }>(
    `/api/v1/predictions/${prediction}/heatmap/?${query}`,
  );
  const rows = Array.from({ length: sent.rows }, (_, row) =>
    sent.values.slice(row * sent.columns, (row + 1) * sent.columns),
  );
  return { ...sent, values: rows };
}
