import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { giveBack, skipCase } from "../state/leave";
import type { Session } from "../state/session";
import { Dialog } from "./Dialog";
import { Icon } from "./icons";

const MOST_CHARACTERS = 300;

/** Two ways out of a case that is not to be read now, and what each means. */
export function LeaveDialog({ session }: { session: Session }): JSX.Element | null {
  const reason = useSignal("");
  const problem = useSignal<string | null>(null);
  const handed = session.handed.value;
  const close = (): void => {
    session.dialog.value = null;
  };
  if (!handed) return null;
  const act = async (how: () => Promise<string | null>): Promise<void> => {
    problem.value = await how();
    if (problem.value === null) close();
  };
  const skip = (event: Event): void => {
    event.preventDefault();
    if (reason.value.trim() === "") problem.value = "A reason is needed: the curator sees it";
    else void act(() => skipCase(session, reason.value.trim()));
  };
  return (
    <Dialog title={`Leave case ${handed.case.key}`} close={close}>
      <form class="body stack" onSubmit={skip}>
        <p>
          Give it back, and it waits for you or another reader; your draft stays. Skip it, and it does not come to you
          again.
        </p>
        <div class="field">
          <label for="skip-reason">Reason for skipping</label>
          <textarea
            id="skip-reason"
            class="textarea"
            rows={2}
            maxLength={MOST_CHARACTERS}
            value={reason.value}
            aria-invalid={problem.value !== null}
            onInput={(event) => (reason.value = event.currentTarget.value)}
          />
          <span class="hint">Such as: not my field, image unreadable, I know this patient</span>
        </div>
        {problem.value && (
          <p class="error" role="alert">
            <Icon name="warn" size="sm" />
            {problem.value}
          </p>
        )}
        <footer>
          <button type="button" class="btn ghost" onClick={close}>
            Go on reading
          </button>
          <button type="button" class="btn" onClick={() => void act(() => giveBack(session))}>
            Give back
          </button>
          <button type="submit" class="btn">
            Skip this case
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
