// What people say to one another about the case; threads, answered and resolved.
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../api/client";
import { type Comment, type NewComment, settleComment, writeComment } from "./data";
import { when } from "./History";
import { comments, loadComments, page, readings } from "./state";

const trouble = signal("");

async function send(act: () => Promise<unknown>): Promise<boolean> {
  trouble.value = "";
  try {
    await act();
    await loadComments();
    return true;
  } catch (error) {
    trouble.value = error instanceof ApiError ? error.message : "The comment could not be sent; it is still here.";
    return false;
  }
}

/** What a thread is about, in words. */
function aboutWords(comment: Comment): string {
  const said = readings.value.find((one) => one.reading === comment.reading);
  const who = said ? `${said.reader}, ` : "";
  if (comment.anchor === "case") return said ? `${said.reader}'s reading` : "the case";
  if (comment.anchor === "field") return `${who}${comment.anchor_id}`;
  const rows = comment.anchor === "step" ? said?.content.steps : said?.content.rois;
  const at = (rows ?? []).findIndex((row) => row.id === comment.anchor_id) + 1;
  return `${who}${comment.anchor === "step" ? "step" : "region"} ${at || "of an earlier revision"}`;
}

/** What can be commented on: the case, and each step and region of each reading. */
function anchors(): [string, NewComment][] {
  const found: [string, NewComment][] = [["The case", { text: "" }]];
  for (const said of readings.value) {
    const reading = said.reading;
    found.push([`${said.reader}: answer`, { text: "", anchor: "field", anchor_id: "answer", reading }]);
    said.content.steps.forEach((step, at) => {
      found.push([`${said.reader}: step ${at + 1}`, { text: "", anchor: "step", anchor_id: step.id, reading }]);
    });
    said.content.rois.forEach((roi, at) => {
      found.push([`${said.reader}: region ${at + 1}`, { text: "", anchor: "roi", anchor_id: roi.id, reading }]);
    });
  }
  return found;
}

function Write({ parent }: { parent?: string }): JSX.Element {
  const [text, setText] = useState("");
  const [about, setAbout] = useState(0);
  const choices = parent ? [] : anchors();
  const submit = async (): Promise<void> => {
    const body = parent ? { text, parent } : { ...choices[about]?.[1], text };
    if (await send(() => writeComment(page.value?.case.id ?? "", body))) setText("");
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {!parent && (
        <label class="row sm t2">
          About
          <select class="select sm" value={about} onChange={(event) => setAbout(Number(event.currentTarget.value))}>
            {choices.map(([words], at) => (
              <option key={words} value={at}>
                {words}
              </option>
            ))}
          </select>
        </label>
      )}
      <textarea
        class="textarea"
        rows={2}
        maxLength={4000}
        aria-label={parent ? "Answer" : "Comment"}
        placeholder={parent ? "Answer" : "Comment; @name tells a colleague"}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <div class="row">
        <button type="submit" class="btn sm end" disabled={text.trim() === ""}>
          {parent ? "Answer" : "Comment"}
        </button>
      </div>
    </form>
  );
}

function Said({ comment }: { comment: Comment }): JSX.Element {
  return (
    <div class="comment">
      <p class="xs t3">
        <b class="t2">{comment.author.name}</b> {when(comment.created_at)}
      </p>
      <p class="words">{comment.text}</p>
    </div>
  );
}

function Thread({ first }: { first: Comment }): JSX.Element {
  const answers = comments.value.filter((one) => one.parent === first.id);
  const isResolved = first.resolved_at !== null;
  return (
    <li class={`thread${isResolved ? " resolved" : ""}`}>
      <div class="row between">
        <span class="xs t3">about {aboutWords(first)}</span>
        <button
          type="button"
          class="btn ghost sm"
          onClick={() => void send(() => settleComment(first.id, isResolved ? "reopen" : "resolve"))}
        >
          {isResolved ? "Reopen" : "Resolve"}
        </button>
      </div>
      <Said comment={first} />
      {isResolved ? (
        <p class="xs t3">
          {answers.length > 0 && `${answers.length} answer${answers.length === 1 ? "" : "s"}, `}resolved by{" "}
          {first.resolved_by?.name}
        </p>
      ) : (
        <>
          {answers.map((one) => (
            <Said key={one.id} comment={one} />
          ))}
          <details>
            <summary class="sm">Answer</summary>
            <Write parent={first.id} />
          </details>
        </>
      )}
    </li>
  );
}

export function Comments(): JSX.Element {
  const threads = comments.value.filter((one) => one.parent === null);
  return (
    <section class="card" aria-labelledby="comments-title">
      <div class="card-head">
        <h2 id="comments-title">Comments</h2>
        <span class="t3">{threads.filter((one) => !one.resolved_at).length} open</span>
      </div>
      <div class="card-body stack">
        {trouble.value && (
          <p class="notice bad" role="alert">
            {trouble.value}
          </p>
        )}
        <ul class="stack">
          {threads.map((first) => (
            <Thread key={first.id} first={first} />
          ))}
        </ul>
        <Write />
      </div>
    </section>
  );
}
