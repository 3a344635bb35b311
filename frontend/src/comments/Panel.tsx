// What people say to one another about the case; threads, answered and resolved.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { when } from "../panels/words";
import type { Comment, NewComment } from "./data";
import type { Comments } from "./thread";

interface Shown {
  comments: Comments;
  /** What a thread is about, in words. */
  about: (comment: Comment) => string;
  /** What can be commented on, in words and as a call names it. */
  anchors: readonly [string, NewComment][];
}

function Write({ on, parent }: { on: Shown; parent?: string }): JSX.Element {
  const [text, setText] = useState("");
  const [about, setAbout] = useState(0);
  const choices = parent ? [] : on.anchors;
  const submit = async (): Promise<void> => {
    const body = parent ? { text, parent } : { ...choices[about]?.[1], text };
    if (await on.comments.write(body)) setText("");
  };
  return (
    <form
      class="stack write"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {choices.length > 1 && (
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

function Thread({ on, first }: { on: Shown; first: Comment }): JSX.Element {
  const answers = on.comments.all.value.filter((one) => one.parent === first.id);
  const isResolved = first.resolved_at !== null;
  return (
    <li class={`thread${isResolved ? " resolved" : ""}`}>
      <div class="row between">
        <span class="xs t3">about {on.about(first)}</span>
        <button type="button" class="btn ghost sm" onClick={() => void on.comments.settle(first)}>
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
            <Write on={on} parent={first.id} />
          </details>
        </>
      )}
    </li>
  );
}

export function CommentsPanel(on: Shown): JSX.Element {
  const { trouble, all } = on.comments;
  const threads = all.value.filter((one) => one.parent === null);
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
            <Thread key={first.id} on={on} first={first} />
          ))}
        </ul>
        <Write on={on} />
      </div>
    </section>
  );
}
