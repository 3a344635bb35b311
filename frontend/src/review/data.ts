// What the review page shows, as /api/v1/cases/{id}/consensus/ and …/review/ send it.
import { call } from "../api/client";
import type { Answer, CaseInfo, Content, Label, MaskGeometry, Roi, ShapeGeometry, Step } from "../api/types";
import type { Person } from "../comments/data";

export interface ReviewPage {
  case: CaseInfo;
  benchmark: { slug: string; title: string };
  protocol: { labels: Label[]; step_kinds: string[] };
  user: Person;
  may_take_over: boolean;
  colleagues: { username: string; name: string }[];
  urls: { case: string; queue: string; next: string | null };
}

export interface ReadingSaid {
  reading: string;
  /** R1, R2 …; the name only for curators. */
  reader: string;
  name: string | null;
  number: number;
  arm: "unaided" | "aided";
  revision: number;
  /** The revision by which the consensus counts it: the newest written blind; null where none is counted. */
  counted_revision: number | null;
  submitted_at: string;
  is_of_this_input: boolean;
  content: Content;
}

export interface Posterior {
  posterior: Record<string, number>;
  best: string;
  entropy_bits: number;
  most_entropy_bits: number;
  ratings: number;
  cases: number;
}

export interface Answers {
  n: number;
  votes: Record<string, number>;
  shares: Record<string, number>;
  majority: string | null;
  is_tie: boolean;
  vote_entropy_bits: number | null;
  dawid_skene: Posterior | null;
}

export interface Place {
  image: number;
  frame: number;
  label: string | null;
  drawn_by: number[];
  readers: number;
  majority: MaskGeometry;
  area_px: number;
  roi: ShapeGeometry | null;
  window: { x0: number; y0: number; x1: number; y1: number; step: number } | null;
  staple: {
    png: string;
    mask: MaskGeometry;
    sensitivity: (number | null)[];
    specificity: (number | null)[];
    has_converged: boolean;
  } | null;
  difference: string | null;
}

export interface StepRow {
  steps: (number | null)[];
  said_by: number;
  /** What each reader says there: the same number where agreement counts the steps as the same. */
  views: (number | null)[];
  /** Start and end of the words that not all in the row have, in characters of each reader's text. */
  differing: [number, number][][];
  /** The least of any two in the row. */
  likeness: number | null;
  critical: number;
}

export interface GoldContent {
  answer: Answer | null;
  rois: Roi[];
  steps: Step[];
}

export interface Consensus {
  readings: ReadingSaid[];
  /** Places in `readings` that the consensus is made of. */
  counted: number[];
  answers: Answers;
  regions: Place[];
  uncounted_rois: number;
  steps: StepRow[];
  gold: ({ revision: number } & GoldContent) | null;
}

export type Action = "pick" | "edit" | "merge" | "consensus";

export interface SourceTaken {
  reading: string;
  revision: number;
  answer: boolean;
  rois: string[];
  steps: string[];
}

/** What a reviewer has put together; the version travels beside it. */
export interface Draft {
  action: Action | "";
  content: GoldContent;
  sources: SourceTaken[];
  reason: string;
}

export interface Review extends Draft {
  id: string;
  number: number;
  state: "open" | "escalated" | "closed" | "reverted" | "discarded";
  version: number;
  is_open: boolean;
  is_mine: boolean;
  holder: Person | null;
  held_since: string;
  opened_by: Person;
  opened_at: string;
  saved_at: string | null;
  escalated_to: Person | null;
  escalation_reason: string;
  closed_by: Person | null;
  closed_at: string | null;
  has_read_case: boolean;
  gold_before: number;
  gold_revision: number | null;
  can_revert: boolean;
  reverted_by: Person | null;
  reverted_at: string | null;
  revert_reason: string;
}

const of = (id: string): string => `/api/v1/cases/${id}/`;
const post = <T>(url: string, body: unknown): Promise<T> => call<T>(url, { method: "POST", body });

export const fetchConsensus = (id: string): Promise<Consensus> => call(`${of(id)}consensus/`);
export const fetchReviews = (id: string): Promise<{ results: Review[] }> => call(`${of(id)}review/`);
export const openReview = (id: string): Promise<Review> => post(`${of(id)}review/`, {});
export const saveReview = (id: string, body: Draft & { version: number }): Promise<Review> =>
  post(`${of(id)}review/`, { ...body, action: body.action || null });
export const closeReview = (id: string, body: Draft & { version: number }): Promise<Review> =>
  post(`${of(id)}review/`, { ...body, action: body.action || null, close: true });
export const actOn = (id: string, review: string, act: "revert" | "discard", reason: string): Promise<Review> =>
  post(`${of(id)}review/${review}/${act}/`, { reason });
export const escalate = (id: string, review: string, to: string, reason: string): Promise<Review> =>
  post(`${of(id)}review/${review}/escalate/`, { to, reason });
