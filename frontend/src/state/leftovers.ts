import { ApiError, call } from "../api/client";
import { readingQueue, unsentOf } from "./queue";

/**
 * Drafts of this reader that another page left on this computer: sent now, or set aside where the reading takes no draft
 * any more, so that no log-out warns of what nobody can send. What is stale or refused waits for its own page.
 */
export async function sendLeftovers(api: string, user: string, current: string | null): Promise<void> {
  for (const [reading, unsent] of await unsentOf(user)) {
    if (reading === current) continue;
    const queue = readingQueue(user, reading);
    try {
      const body = { ...unsent.content, version: unsent.version };
      await call(`${api}readings/${reading}/draft/`, { method: "PUT", body });
      await queue.dropUnsent();
    } catch (error) {
      const problem = error instanceof ApiError ? error : null;
      // Without an answer, or signed out: nothing is decided for the others either.
      if (!problem || problem.isTransient || problem.isSignedOut) return;
      if (problem.kind !== "reading-locked" && problem.status !== 404) continue;
      await queue.keepOther({ content: unsent.content, at: unsent.at, why: "closed elsewhere" });
      await queue.dropUnsent();
    }
  }
}
