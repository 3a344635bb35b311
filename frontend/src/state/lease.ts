import { effect, untracked } from "@preact/signals";
import { ApiError, call } from "../api/client";
import { serverNow } from "../api/clock";
import type { HandedOut, ReadingInfo } from "../api/types";
import type { Told } from "../live/stream";
import { isAnybodyHere } from "./presence";
import type { Session } from "./session";

export const HEARTBEAT_MS = 60_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Where the reader stands with the case on the desk.
 *
 * `out`: the lease ran out, and nobody else may have come yet. `taken`: a curator took the case back. `ended`: it was
 * given back, skipped or taken back, and this page does not know by whom. `surplus`: others have every place.
 */
export type Standing = "held" | "out" | "taken" | "ended" | "surplus";

/** Prolongs the lease, and finds out where the reader stands where it cannot be prolonged. */
export async function beat(session: Session): Promise<void> {
  const handed = session.handed.peek();
  if (!handed || session.isLocked) return;
  try {
    const address = `${session.api}assignments/${handed.assignment}/heartbeat/`;
    const answer = await call<{ lease_expires_at: string }>(address, { method: "POST" });
    if (session.handed.peek() === handed) held(session, answer.lease_expires_at);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Anything else decides nothing: a missed beat does no harm, the next save takes the place up again.
    const found = await standingOf(session, handed, error);
    if (found && session.handed.peek() === handed) session.standing.value = found;
  }
}

async function standingOf(session: Session, handed: HandedOut, error: ApiError): Promise<Standing | null> {
  if (error.kind === "overlap-reached") return "surplus";
  if (error.kind !== "lease-ended") return null;
  const address = `${session.api}readings/${handed.reading.id}/`;
  const reading = await call<ReadingInfo>(address).catch(() => null);
  if (reading?.state === "surplus") return "surplus";
  // Submitted elsewhere: the draft's own chip says so.
  if (reading?.state !== "draft") return null;
  return session.standing.peek() === "taken" ? "taken" : "ended";
}

function held(session: Session, until: string): void {
  session.leaseUntil.value = until;
  if (session.standing.peek() !== "held" && session.standing.peek() !== "out") {
    const key = session.handed.peek()?.case.key;
    session.toast.value = { text: `A place was free: case ${key} is yours again, with your draft`, link: null };
  }
  session.standing.value = "held";
}

/** What the stream tells of this reader's assignments. */
export function leaseHeard(session: Session, event: Told): void {
  const handed = session.handed.peek();
  if (event.type !== "assignment.taken_back" || !handed || session.isLocked || event.assignment !== handed.assignment)
    return;
  session.standing.value = "taken";
  // A save may have been quicker, and have taken the place again or have become surplus.
  void beat(session);
}

/** Keeps the lease while somebody is at the page, and says when it ran out; the answer ends it. */
export function keepLease(session: Session): () => void {
  const timer = setInterval(() => {
    const standing = session.standing.peek();
    if (isAnybodyHere() && (standing === "held" || standing === "out")) void beat(session);
  }, HEARTBEAT_MS);
  const stops = [whenOut(session), whenSaved(session), () => clearInterval(timer)];
  return () => {
    for (const stop of stops) stop();
  };
}

/** By the server's time: a computer whose clock is wrong ends nothing. */
function whenOut(session: Session): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = (): void => {
    clearTimeout(timer);
    const until = session.leaseUntil.value;
    if (!until || session.standing.value !== "held" || !session.handed.value) return;
    const left = Date.parse(until) - serverNow();
    if (left <= 0) session.standing.value = "out";
    else timer = setTimeout(look, Math.min(left, LONGEST_TIMER_MS));
  };
  const stop = effect(look);
  return () => {
    stop();
    clearTimeout(timer);
  };
}

/** A save takes a free place up again, or makes the draft surplus: after one that did either, look which. */
function whenSaved(session: Session): () => void {
  return effect(() => {
    const saving = session.autosave.value?.state.value;
    if (saving?.kind !== "saved" || !saving.at) return;
    if (session.standing.peek() !== "held") untracked(() => void beat(session));
  });
}
