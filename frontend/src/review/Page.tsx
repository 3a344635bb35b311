// Readings side by side on the left, the gold that is made of them on the right.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Dialog } from "../panels/Dialog";
import { KeysDialog } from "../panels/KeysDialog";
import { when } from "../panels/words";
import { Answers } from "./Answers";
import { Ask, question } from "./Ask";
import { Comments } from "./Comments";
import type { Review } from "./data";
import { GoldDraft, GoldInForce } from "./Gold";
import { History } from "./History";
import { ImageView } from "./ImageView";
import { OTHER_KEYS, REVIEW_KEYMAP } from "./keys";
import { Regions } from "./Regions";
import { StepTable } from "./StepTable";
import {
  autosave,
  consensus,
  failure,
  handOn,
  isBusy,
  load,
  mine,
  open,
  page,
  readings,
  refusal,
  resolveVersions,
  reviews,
  said,
  setAside,
  start,
} from "./state";
import { Tools } from "./Tools";
import { showsKeys } from "./view";

function askHandOn(review: Review): void {
  const isTaking = !review.is_mine;
  question.value = {
    title: isTaking ? "Take over this review" : "Escalate this review",
    words: isTaking
      ? "What was put together so far goes with it. Whoever held it finds it gone."
      : "What you put together goes with it. Whoever you name is told, and you cannot change it any more.",
    act: isTaking ? "Hand on" : "Escalate",
    to: isTaking ? "self" : "others",
    send: (reason, to) => handOn(review, to, reason),
  };
}

function askSetAside(review: Review): void {
  question.value = {
    title: "Set this review aside",
    words: "No gold is written. What you put together stays in the history, and the case is free for others.",
    act: "Set aside",
    send: (reason) => setAside(review, reason),
  };
}

function Status(): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  // What was done is said here, wherever in the column the hand that did it was.
  useEffect(() => place.current?.scrollIntoView({ block: "nearest" }), [said.value]);
  return (
    <div ref={place}>
      <Standing />
    </div>
  );
}

function Standing(): JSX.Element {
  const review = open.value;
  const next = page.value?.urls.next;
  if (mine.value)
    return (
      <div class="notice row">
        <span class="grow">
          You are reviewing this case since {when(mine.value.held_since)}.
          {mine.value.state === "escalated" && ` Handed to you: ${mine.value.escalation_reason}`}
        </span>
        <button type="button" class="btn sm" onClick={() => askHandOn(mine.value as Review)}>
          Escalate
        </button>
        <button type="button" class="btn sm" onClick={() => askSetAside(mine.value as Review)}>
          Set aside
        </button>
      </div>
    );
  if (review)
    return (
      <div class="notice warn row">
        <span class="grow">
          {review.holder?.name} has been reviewing this case since {when(review.held_since)}. You can look and comment.
        </span>
        {page.value?.may_take_over && (
          <button type="button" class="btn sm" onClick={() => askHandOn(review)}>
            Hand on
          </button>
        )}
      </div>
    );
  return (
    <div class="notice row">
      <span class="grow">{said.value || "Nobody is reviewing this case. Only one person can at a time."}</span>
      {next && (
        <a class="btn sm" href={next}>
          Next case
        </a>
      )}
      <button type="button" class="btn primary sm" disabled={isBusy.value} onClick={() => void start()}>
        {reviews.value.some((one) => one.state === "closed") ? "Review it again" : "Start the review"}
      </button>
    </div>
  );
}

function Versions(): JSX.Element | null {
  const state = autosave.value?.state.value;
  if (state?.kind !== "conflict") return null;
  return (
    <Dialog title="Two versions of this review" close={() => undefined}>
      <div class="body stack">
        <p>It was also changed in another tab or on another computer. The one you do not take is kept here.</p>
        <p class="sm">
          This page: {state.mine.content.rois.length} regions, {state.mine.content.steps.length} steps. On the server:{" "}
          {state.theirs.content.rois.length} regions, {state.theirs.content.steps.length} steps.
        </p>
      </div>
      <footer>
        <button type="button" class="btn" onClick={() => void resolveVersions("theirs")}>
          Take the server's
        </button>
        <button type="button" class="btn primary" onClick={() => void resolveVersions("mine")}>
          Keep this page's
        </button>
      </footer>
    </Dialog>
  );
}

export function ReviewView(): JSX.Element {
  if (failure.value && !consensus.value)
    return (
      <div class="notice bad row" role="alert">
        <span class="grow">{failure.value}</span>
        <button type="button" class="btn sm" onClick={() => void load()}>
          Try again
        </button>
      </div>
    );
  if (!consensus.value) return <p class="t3">Loading the readings…</p>;
  if (readings.value.length === 0)
    return (
      <div class="card empty">
        <h2>Nothing to review yet</h2>
        <p class="t2">Nobody has submitted a reading of this case.</p>
      </div>
    );
  return (
    <div class="review-grid">
      <div class="review-left stack">
        <section class="card review-images" aria-label="Images">
          <Tools />
          <ImageView />
        </section>
        <Answers />
        <StepTable />
        <Regions />
      </div>
      <div class="review-right stack">
        <Status />
        {(refusal.value || failure.value) && (
          <p class="notice bad" role="alert">
            {refusal.value || failure.value}
          </p>
        )}
        <GoldDraft />
        <GoldInForce />
        <Comments />
        <History />
      </div>
      <Ask />
      <Versions />
      {showsKeys.value && (
        <KeysDialog
          keymap={REVIEW_KEYMAP}
          others={OTHER_KEYS}
          user={page.value?.user.id ?? ""}
          close={() => {
            showsKeys.value = false;
          }}
        />
      )}
    </div>
  );
}
