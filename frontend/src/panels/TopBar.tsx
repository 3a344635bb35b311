import type { JSX } from "preact";
import type { SaveState } from "../state/savestate";
import type { Session } from "../state/session";
import { submitByHand } from "../state/submit";
import { Icon } from "./icons";
import { clock, count } from "./words";

export function TopBar({ session }: { session: Session }): JSX.Element {
  const { benchmark, urls } = session.data;
  const handed = session.handed.value;
  const share = session.total > 0 ? session.done.value / session.total : 0;
  return (
    <header class="ws-top">
      <div class="row">
        <a href={urls.home} class="row home" aria-label="Back to my cases">
          <Icon name="brand" size="lg acc" />
        </a>
        <span class="t3 trunc">{benchmark.title}</span>
        <Icon name="right" size="sm" />
        <h1 class="med case-key">{handed ? `Case ${handed.case.key}` : "No case"}</h1>
        {benchmark.is_demo && <span class="sample">{benchmark.demo_note}</span>}
      </div>
      <div class="row">
        {session.total > 0 && (
          <>
            <span class="sm t2 num" data-testid="progress">
              {session.done.value} of {session.total} read
            </span>
            <div class="bar progress-bar" aria-hidden="true">
              <i class="done" style={{ width: `${share * 100}%` }} />
            </div>
          </>
        )}
      </div>
      <div class="row">
        {handed && !session.isLocked && <SaveChip session={session} />}
        {session.isLocked && (
          <span class="status saved" role="status">
            <Icon name="check" size="sm" />
            Submitted
          </span>
        )}
        {handed && session.leaseUntil.value && session.standing.value === "held" && (
          <span class="status t3 lease" title="Others cannot open this case until then">
            <Icon name="clock" size="sm" />
            Yours until {clock(session.leaseUntil.value)}
          </span>
        )}
        {handed && !session.aided && !session.isLocked && (
          <button type="button" class="btn ghost leave" onClick={() => (session.dialog.value = "leave")}>
            Skip
          </button>
        )}
        {handed && (
          <button
            type="button"
            class="btn primary submit"
            disabled={session.submitting.value}
            onClick={() => void submitByHand(session)}
          >
            {submitWords(session)} <kbd class="kbd">Ctrl ⏎</kbd>
          </button>
        )}
      </div>
    </header>
  );
}

function submitWords(session: Session): string {
  if (session.isLocked) return "Next case";
  if (session.aided) return "Submit, aided";
  return session.data.benchmark.is_training ? "Submit and compare" : "Submit and next";
}

function SaveChip({ session }: { session: Session }): JSX.Element | null {
  const state = session.autosave.value?.state.value;
  if (!state) return null;
  return (
    <span role="status" aria-live="polite" data-save={state.kind} class="save-chip">
      <Chip session={session} state={state} />
    </span>
  );
}

function Chip({ session, state }: { session: Session; state: SaveState }): JSX.Element {
  switch (state.kind) {
    case "saved":
      return (
        <span class="status saved">
          <Icon name="check" size="sm" />
          {state.at ? `Saved ${clock(state.at)}` : "Nothing written yet"}
        </span>
      );
    case "saving":
      return (
        <span class="status saving">
          <span class="spin" />
          Saving
        </span>
      );
    case "offline":
      return (
        <span class="status offline">
          <Icon name="offline" size="sm" />
          Offline, {count(state.changes, "change")} kept here
        </span>
      );
    case "signed-out":
      return (
        <a class="status offline" href={`${session.data.urls.login}?next=${encodeURIComponent(location.pathname)}`}>
          <Icon name="lock" size="sm" />
          Signed out, {count(state.changes, "change")} kept here: log in
        </a>
      );
    case "conflict":
      return (
        <button type="button" class="status conflict chip-button" onClick={() => (session.dialog.value = "versions")}>
          <Icon name="warn" size="sm" />
          Two versions
        </button>
      );
    case "refused":
      return (
        <span class="status conflict" title={state.detail}>
          <Icon name="warn" size="sm" />
          Not taken, {count(state.changes, "change")} kept here
        </span>
      );
    case "locked":
      return (
        <span class="status offline">
          <Icon name="lock" size="sm" />
          Submitted elsewhere, closed
        </span>
      );
  }
}
