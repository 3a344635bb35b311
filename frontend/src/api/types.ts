// The server's JSON, field by field (INTERFACE.md sections 3 to 5).
import type { Shape, ShapeGeometry } from "./shapes";

export type * from "./shapes";

export type Origin = "manual" | "proposed" | "edited" | "imported" | "copied";

export type Roi = ShapeGeometry & {
  id: string;
  image: number;
  frame: number;
  label: string | null;
  origin: Origin;
};

export type StepKind = "image_finding" | "summary" | "differential" | "topic_finding" | "answer" | "free";

export interface Step {
  id: string;
  kind: StepKind;
  image: number | null;
  text: string;
  evidence: string[];
  regions: string[];
  is_critical: boolean | null;
  confidence: number | null;
  topic: string | null;
  state: string | null;
}

export interface Entity {
  id: string;
  name: string;
  role: string;
  present: boolean | null;
  rois: string[];
  view: string | null;
}

export interface Answer {
  choice?: string;
  text?: string;
  boxes?: [number, number, number, number][];
}

/** What a reader writes; the version travels beside it. */
export interface Content {
  answer: Answer | null;
  confidence: number | null;
  rois: Roi[];
  steps: Step[];
  entities: Entity[];
}

export interface FileWindow {
  centre: number;
  width: number;
  explanation?: string;
  function?: string;
}

/** `values[i]` is the display value of the output value `first + i`. */
export interface VoiLut {
  first: number;
  bits: number;
  explanation: string;
  values: number[];
}

export interface ImageInfo {
  number: number;
  sha256: string;
  kind: string;
  modality: string;
  view: string;
  caption?: string;
  width: number;
  height: number;
  frames: number;
  channels: number;
  dtype: string;
  photometric: string;
  slope: number;
  intercept: number;
  windows: FileWindow[];
  voi_luts?: VoiLut[];
  spacing_mm: [number, number] | null;
  spacing_source: string;
  frame_time_ms: number | null;
}

export interface CaseInfo {
  id: string;
  key: string;
  question: string;
  options: Record<string, string> | null;
  history: string;
  /** What kind of question it is, such as `VG`; empty where cases have no tasks. */
  task: string;
  /** The rectangle on image 1 that the question speaks of. */
  question_box: [number, number, number, number] | null;
  images: ImageInfo[];
}

export interface ReadingInfo {
  id: string;
  arm: string;
  state: string;
  version: number;
  revision: number;
  saved_at: string | null;
  content: Content;
}

export interface HandedOut {
  assignment: string;
  case: CaseInfo;
  reading: ReadingInfo;
  lease_expires_at: string;
}

export type NoCaseReason = "done" | "leased" | "not_assigned" | "paused";

export interface NothingLeft {
  case: null;
  reason: NoCaseReason;
  until: string | null;
}

export type Next = HandedOut | NothingLeft;

export interface Label {
  id: string;
  name: string;
  colour: string;
  line_style: string;
  shapes: Shape[];
  key: string | null;
}

export type ProtocolKind = "free" | "medthinkvqa" | "vgmed" | "fetal_gauge" | "care" | "topic_findings";

export interface Protocol {
  kind: ProtocolKind;
  labels: Label[];
  step_kinds: StepKind[];
  required: string[];
}

export interface WorkspaceData {
  benchmark: { slug: string; title: string; is_demo: boolean; demo_note: string; is_training?: boolean };
  protocol: Protocol;
  user: { id: string; name: string };
  progress: { done: number; total: number };
  /** The server's time when it made the page. */
  now?: string;
  next: Next | null;
  urls: { api: string; home: string; login: string; next?: string };
}

export interface FieldError {
  path: string;
  detail: string;
}

export interface ProblemBody {
  type: string;
  title?: string;
  detail?: string;
  errors?: FieldError[];
  /** A reading's content, or whatever else the call was to save. */
  yours?: unknown;
  theirs?: unknown;
  version?: number;
}
