import { ApiError, call } from "../api/client";
import type { Session } from "./session";

export const HEARTBEAT_MS = 60_000;

/** Keeps the lease while the page is open; a missed beat does no harm, the next save takes the place up again. */
export function keepLease(session: Session): () => void {
  const beat = async (): Promise<void> => {
    const handed = session.handed.peek();
    if (!handed) return;
    try {
      const answer = await call<{ lease_expires_at?: string }>(
        `${session.api}assignments/${handed.assignment}/heartbeat/`,
        { method: "POST" },
      );
      if (answer?.lease_expires_at && session.handed.peek() === handed)
        session.leaseUntil.value = answer.lease_expires_at;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  };
  const timer = setInterval(() => void beat(), HEARTBEAT_MS);
  return () => clearInterval(timer);
}
