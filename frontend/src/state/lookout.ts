import { effect } from "@preact/signals";
import { serverNow } from "../api/clock";
import type { NothingLeft } from "../api/types";
import type { Told } from "../live/stream";
import { isAnybodyHere } from "./presence";
import type { Session } from "./session";

/** Never sooner than this, so that pages that wait for one case do not hurry the server. */
export const SOONEST_MS = 5_000;
export const LATEST_MS = 60_000;
/** Several readers wait for the same moment: they do not all come at once. */
const SPREAD_MS = 3_000;
const HEARD = new Set(["assignment.assigned", "queue.changed"]);

/** When to ask again, in milliseconds from now: soon after a lease ends, else once a minute. */
export function askAgainIn(nothing: NothingLeft | null, chance: number): number {
  const spread = chance * SPREAD_MS;
  if (!nothing?.until) return LATEST_MS + spread;
  const left = Date.parse(nothing.until) - serverNow();
  return Math.min(Math.max(left, SOONEST_MS), LATEST_MS) + spread;
}

/** Whether it may look by itself: what comes is leased, so somebody must be there to read it. */
function mayLook(): boolean {
  return document.visibilityState === "visible" && isAnybodyHere();
}

/** Asks again by itself while there is no case; the answer ends it. */
export function lookOut(session: Session): { heard: (event: Told) => void; back: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let askedAt = performance.now();
  const waits = (): boolean => session.nothing.peek() !== null || session.loadFailure.peek() !== null;
  const schedule = (delay: number): void => {
    clearTimeout(timer);
    timer = setTimeout(look, delay);
  };
  const look = (): void => {
    if (!waits()) return;
    session.isLooking.value = mayLook();
    if (!mayLook()) return;
    askedAt = performance.now();
    void session.askNext().then(() => {
      const key = session.handed.peek()?.case.key;
      if (key) session.toast.value = { text: `Case ${key} came free`, link: null };
    });
  };
  const stop = effect(() => {
    const nothing = session.nothing.value;
    const failure = session.loadFailure.value;
    clearTimeout(timer);
    if (!nothing && !failure) return;
    session.isLooking.value = true;
    schedule(askAgainIn(failure ? null : nothing, Math.random()));
  });
  const sooner = (): void => {
    if (waits()) schedule(Math.max(0, askedAt + SOONEST_MS - performance.now()));
  };
  return {
    heard: (event) => {
      if (HEARD.has(event.type)) sooner();
    },
    back: sooner,
    stop: () => {
      stop();
      clearTimeout(timer);
    },
  };
}
