import { ApiError } from "../api/client";
import type { Content, FieldError } from "../api/types";

export type SaveState<T = Content> =
  | { kind: "saved"; at: string | null }
  | { kind: "saving" }
  | { kind: "offline"; changes: number }
  | { kind: "signed-out"; changes: number }
  | { kind: "conflict"; mine: T; theirs: T; version: number }
  | { kind: "refused"; changes: number; errors: FieldError[]; detail: string }
  | { kind: "locked" };

// A reading that is closed, or a review that ended or went to somebody else.
const LOCKED = new Set(["reading-locked", "review-over", "review-taken"]);

export interface SavedAnswer {
  version: number;
  saved_at: string | null;
}

/** What a failed save means for the draft: only a call that decided nothing is sent again by itself. */
export function stateAfter<T>(error: unknown, mine: T, changes: number): SaveState<T> {
  const problem = error instanceof ApiError ? error : new ApiError(0, null, String(error));
  const { theirs, version } = problem.body ?? {};
  if (problem.kind === "stale-draft" && theirs && version !== undefined)
    return { kind: "conflict", mine, theirs: theirs as T, version };
  if (LOCKED.has(problem.kind)) return { kind: "locked" };
  if (problem.isSignedOut) return { kind: "signed-out", changes };
  if (problem.isTransient) return { kind: "offline", changes };
  return { kind: "refused", changes, errors: problem.errors, detail: problem.message };
}
