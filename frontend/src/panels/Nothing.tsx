import type { JSX } from "preact";
import type { NothingLeft } from "../api/types";
import type { Session } from "../state/session";
import { Icon } from "./icons";
import { clock, count } from "./words";

function wordsOf(nothing: NothingLeft, session: Session): [string, string] {
  const { title } = session.data.benchmark;
  switch (nothing.reason) {
    case "done":
      return [
        "No case is left for you to read",
        `You have submitted ${count(session.done.value, "reading")} in ${title}. New cases appear here when a curator adds them.`,
      ];
    case "leased":
      return [
        nothing.until ? `No case is free until ${clock(nothing.until)}` : "No case is free right now",
        "The last cases are with other readers. What they return comes back to this queue.",
      ];
    case "not_assigned":
      return [
        session.done.value > 0 ? "You have read what was assigned to you" : "No case is assigned to you",
        `A curator of ${title} decides who reads what; what is assigned to you appears here.`,
      ];
    case "paused":
      return [`${title} is paused`, "A curator has paused it: no case is handed out for now. Drafts stay."];
  }
}

/** Whether the page asks again by itself: only while somebody is there to read what would come. */
function Looking({ session }: { session: Session }): JSX.Element {
  return (
    <p class="sm t3" data-looking={session.isLooking.value}>
      {session.isLooking.value
        ? "This page looks again by itself and shows the next case here."
        : "Nobody was at this page for a while, so it stopped looking. It goes on when you come back."}
    </p>
  );
}

function Art(): JSX.Element {
  return (
    <svg
      class="art"
      width="148"
      height="92"
      viewBox="0 0 148 92"
      fill="none"
      stroke="currentColor"
      stroke-width="1.25"
      aria-hidden="true"
    >
      <rect x="26" y="16" width="44" height="32" rx="4" opacity=".55" />
      <rect x="78" y="16" width="44" height="32" rx="4" opacity=".55" />
      <rect x="26" y="54" width="44" height="32" rx="4" opacity=".3" />
      <rect x="78" y="54" width="44" height="32" rx="4" stroke-dasharray="3 3" />
      <circle cx="48" cy="32" r="8" stroke="var(--accent)" stroke-dasharray="4 3" />
      <path d="M48 20v5M48 39v5M36 32h5M55 32h5" stroke="var(--accent)" />
    </svg>
  );
}

/** What is shown where there is no case: why, until when, what to do. */
export function Nothing({ session }: { session: Session }): JSX.Element | null {
  const failure = session.loadFailure.value;
  if (failure) {
    return (
      <main class="ws-nothing">
        <div class="notice bad" role="alert">
          <Icon name="warn" />
          <div>
            <strong>The next case did not arrive.</strong> {failure.message}. What you submitted is not affected.
          </div>
        </div>
        <button type="button" class="btn" onClick={() => void session.askNext()}>
          Try again
        </button>
      </main>
    );
  }
  const nothing = session.nothing.value;
  if (!nothing) return <main class="ws-nothing" aria-busy="true" />;
  const [title, why] = wordsOf(nothing, session);
  return (
    <main class="ws-nothing" data-reason={nothing.reason}>
      <section class="empty" role="status">
        <Art />
        <h2>{title}</h2>
        <p>{why}</p>
        <Looking session={session} />
        <div class="row">
          <button type="button" class="btn" onClick={() => void session.askNext()}>
            Look again
          </button>
          <a class="btn ghost" href={session.data.urls.home}>
            My cases
          </a>
        </div>
      </section>
    </main>
  );
}
