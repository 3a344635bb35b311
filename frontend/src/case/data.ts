// What the comparison page shows, as GET /api/v1/cases/{id}/scores/ and …/heatmap/ send it.
import { call } from "../api/client";
import type { ImageInfo, Roi } from "../api/types";

export interface CaseData {
  case: { id: string; key: string; question: string; options: Record<string, string> | null; images: ImageInfo[] };
  is_blind: boolean;
}

export interface Prediction {
  id: string;
  model: string;
  model_is_trained: boolean;
  model_note?: string;
  state: "queued" | "running" | "done" | "parked" | "cancelled";
  error: string;
  answer: string | null;
  option_probabilities: Record<string, number> | null;
  text: string;
  n_layers: number;
  headline_layer?: number | null;
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
  moved: { median: number | null; p95: number | null; n: number } | null;
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

export function fetchHeat(
  prediction: string,
  image: number,
  frame: number,
  layer: number,
  map: string,
): Promise<HeatMap> {
  const query = new URLSearchParams({ image: `${image}`, frame: `${frame}`, layer: `${layer}`, map });
  return call<HeatMap>(`/api/v1/predictions/${prediction}/heatmap/?${query}`);
}
