import { ApiError } from "../api/client";
import type { Content, FieldError } from "../api/types";

export type SaveState =
  | { kind: "saved"; at: string | null }
  | { kind: "saving" }
  | { kind: "offline"; changes: number }
  | { kind: "signed-out"; changes: number }
  | { kind: "conflict"; mine: Content; theirs: Content; version: number }
  | { kind: "refused"; changes: number; errors: FieldError[]; detail: string }
  | { kind: "locked" };

export interface SavedAnswer {
  version: number;
  saved_at: string | null;
}

/** What a failed save means for the draft: only a call that decided nothing is sent again by itself. */
export function stateAfter(error: unknown, mine: Content, changes: number): SaveState {
  const problem = error instanceof ApiError ? error : new ApiError(0, null, String(error));
  const { theirs, version } = problem.body ?? {};
  if (problem.kind === "stale-draft" && theirs && version !== undefined)
    return { kind: "conflict", mine, theirs, version };
  if (problem.kind === "reading-locked") return { kind: "locked" };
  if (problem.isSignedOut) return { kind: "signed-out", changes };
  if (problem.isTransient) return { kind: "offline", changes };
  return { kind: "refused", changes, errors: problem.errors, detail: problem.message };
}
