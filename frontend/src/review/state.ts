// What the review page is at: signals that its parts read, and the calls that fill and change them.
import { computed, effect, signal } from "@preact/signals";
import { ApiError } from "../api/client";
import { Comments } from "../comments/thread";
import { Autosave } from "../state/autosave";
import { changeBetween } from "../state/describe";
import { History } from "../state/history";
import { reviewQueue } from "../state/queue";
import {
  actOn,
  type Consensus,
  closeReview,
  type Draft,
  escalate,
  fetchConsensus,
  fetchReviews,
  openReview,
  type Review,
  type ReviewPage,
  saveReview,
} from "./data";
import { actionOf, NOTHING } from "./merge";

export const page = signal<ReviewPage | null>(null);
export const consensus = signal<Consensus | null>(null);
export const reviews = signal<Review[]>([]);
export const comments = new Comments(() => page.value?.case.id ?? "");
export const failure = signal("");
/** What a call was refused for, beside what it was about. */
export const refusal = signal("");
export const said = signal("");
export const autosave = signal<Autosave<Draft> | null>(null);
export const isBusy = signal(false);

const EMPTY: Draft = { action: "", content: NOTHING, sources: [], reason: "" };
const isHeld = signal(false);
/** What is put together, with one undo stack over everything in it; nothing is in it while the review is not one's own. */
export const history = new History<Draft>(EMPTY, (before, after) => {
  if (before.content === after.content) return "reason";
  const whole = (one: Draft) => ({ ...one.content, confidence: null, entities: [] });
  return changeBetween(whole(before), whole(after));
});
export const draft = computed(() => (isHeld.value ? history.content.value : null));
history.listen((now, source) => {
  if (source === "REMOTE") return;
  autosave.peek()?.changed(now);
  refusal.value = "";
});

function hold(found: Draft | null): void {
  history.load(found ?? EMPTY, "REMOTE");
  isHeld.value = found !== null;
}

export const readings = computed(() => consensus.value?.readings ?? []);
export const open = computed(() => reviews.value.find((one) => one.is_open) ?? null);
export const mine = computed(() => (open.value?.is_mine ? open.value : null));
/** The gold on show: what is being put together, else what is in force. */
export const shownGold = computed(() => draft.value?.content ?? consensus.value?.gold ?? NOTHING);

const caseId = (): string => page.value?.case.id ?? "";

function words(error: unknown): string {
  if (!(error instanceof ApiError)) return "The server could not be reached. Nothing you wrote is lost.";
  const more = error.errors.slice(1).map((one) => `${one.path}: ${one.detail}`);
  return [error.message, ...more].join("; ");
}

export async function load(): Promise<void> {
  try {
    const [found, history] = await Promise.all([fetchConsensus(caseId()), fetchReviews(caseId())]);
    consensus.value = found;
    reviews.value = history.results;
    failure.value = "";
    await takeUp();
  } catch (error) {
    failure.value = words(error);
  }
}

let heldReview = "";

/** Go on with the open review if it is one's own: from this computer where something is left here, else as stored. */
async function takeUp(): Promise<void> {
  const review = mine.value;
  const user = page.value?.user.id ?? "";
  if (!review) {
    autosave.value?.stop();
    autosave.value = null;
    hold(null);
    heldReview = "";
    return;
  }
  if (heldReview === `${review.id}:${review.holder?.id}`) return;
  heldReview = `${review.id}:${review.holder?.id}`;
  const saver = new Autosave<Draft>({
    queue: reviewQueue<Draft>(user, review.id),
    version: review.version,
    savedAt: review.saved_at,
    put: async (body) => {
      const done = await saveReview(caseId(), body);
      return { version: done.version, saved_at: done.saved_at };
    },
  });
  const { action, content, sources, reason } = review;
  const left = await saver.restore().catch(() => null);
  hold(left ?? { action, content, sources, reason });
  autosave.value = saver;
}

interface Changing {
  /** What was computed says so until somebody changes it. */
  isComputed?: boolean;
  /** Changes with the same key one after the other are one undo. */
  merge?: string | undefined;
}

/** Change the draft and save it. */
export function change(make: (now: Draft) => Draft, { isComputed = false, merge }: Changing = {}): void {
  if (!isHeld.peek()) return;
  history.change((now) => {
    const next = make(now);
    const isAsBefore = isComputed || next.content === now.content;
    return isAsBefore ? next : { ...next, action: actionOf(next, readings.value) };
  }, merge ?? null);
}

async function attempt(act: () => Promise<unknown>, done: string): Promise<boolean> {
  isBusy.value = true;
  refusal.value = "";
  try {
    await act();
    said.value = done;
    return true;
  } catch (error) {
    refusal.value = words(error);
    return false;
  } finally {
    isBusy.value = false;
    await load();
  }
}

export const start = (): Promise<boolean> => attempt(() => openReview(caseId()), "The review is yours.");

export function close(): Promise<boolean> {
  return attempt(async () => {
    const saver = autosave.value;
    if (!draft.value || !saver) return;
    // Everything is on the server before it is closed, so that a refusal loses nothing.
    if (!(await saver.flush())) throw new ApiError(0, null, "The review could not be saved; it was not closed.");
    try {
      await closeReview(caseId(), { ...draft.value, version: saver.version });
    } catch (error) {
      // Saved once more it stands on the gold that is on show now; whoever closes then has seen it.
      if (error instanceof ApiError && error.kind === "gold-moved") saver.changed(draft.value);
      throw error;
    }
  }, "Closed. The gold is written.");
}

export function handOn(review: Review, to: string, reason: string): Promise<boolean> {
  return attempt(async () => {
    await autosave.value?.flush();
    await escalate(caseId(), review.id, to, reason);
  }, "Handed on.");
}

export function setAside(review: Review, reason: string): Promise<boolean> {
  return attempt(() => actOn(caseId(), review.id, "discard", reason), "Set aside. The case is free again.");
}

export function undo(review: Review, reason: string): Promise<boolean> {
  return attempt(() => actOn(caseId(), review.id, "revert", reason), "Reverted. The gold of before is back.");
}

/** Of two versions, take one; the other is kept on this computer. */
export async function resolveVersions(choice: "mine" | "theirs"): Promise<void> {
  const taken = await autosave.value?.resolve(choice);
  if (taken) hold(taken);
}

/** Keep the page's own close from losing what is not sent yet. */
export function guardLeaving(): void {
  effect(() => {
    const isDirty = autosave.value !== null && autosave.value.state.value.kind !== "saved";
    window.onbeforeunload = isDirty ? (event) => event.preventDefault() : null;
  });
}
