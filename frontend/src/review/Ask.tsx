// A dialog that asks for a reason, and to whom where somebody must be named.
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Dialog } from "../panels/Dialog";
import { MOST_REASON } from "./GoldParts";
import { isBusy, page } from "./state";

export interface Question {
  title: string;
  words: string;
  act: string;
  /** Whether a colleague must be named; `self` offers oneself, too. */
  to?: "others" | "self";
  send: (reason: string, to: string) => Promise<boolean>;
}

export const question = signal<Question | null>(null);

export function Ask(): JSX.Element | null {
  const asked = question.value;
  return asked ? <Form key={asked.title} asked={asked} /> : null;
}

function Form({ asked }: { asked: Question }): JSX.Element {
  const [reason, setReason] = useState("");
  const [to, setTo] = useState("");
  const mine = page.value?.user;
  const people = [...(asked.to === "self" && mine ? [mine] : []), ...(page.value?.colleagues ?? [])];
  const isReady = reason.trim() !== "" && (!asked.to || to !== "");
  const close = (): void => {
    question.value = null;
  };
  return (
    <Dialog title={asked.title} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady) void asked.send(reason.trim(), to).then(close);
        }}
      >
        <div class="body stack">
          <p>{asked.words}</p>
          {asked.to && (
            <label class="field">
              <span class="label">To</span>
              <select class="select" value={to} required onChange={(event) => setTo(event.currentTarget.value)}>
                <option value="">choose</option>
                {people.map((one) => (
                  <option key={one.username} value={one.username}>
                    {one.username === mine?.username ? "myself" : one.name}
                  </option>
                ))}
              </select>
              {people.length === 0 && <span class="hint">Nobody else here may review this case.</span>}
            </label>
          )}
          <label class="field">
            <span class="label">Reason</span>
            <textarea
              class="textarea"
              rows={3}
              maxLength={MOST_REASON}
              required
              value={reason}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </label>
        </div>
        <footer>
          <button type="button" class="btn" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="btn primary" disabled={!isReady || isBusy.value}>
            {asked.act}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
