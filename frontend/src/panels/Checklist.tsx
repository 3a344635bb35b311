import type { JSX } from "preact";
import { wanted } from "../state/required";
import type { Session } from "../state/session";
import { goToField } from "./goto";
import { Icon } from "./icons";

/** What this protocol asks for, quietly: what is there, and a way to each field that lacks. */
export function Checklist({ session }: { session: Session }): JSX.Element | null {
  const handed = session.handed.value;
  if (!handed) return null;
  const things = wanted(session.store.content.value, session.data.protocol.required, handed.case);
  if (things.length === 0) return null;
  return (
    <ul class="checklist" aria-label="Asked for before you submit" data-testid="checklist">
      {things.map(({ name, words, lacking }) => (
        <li key={name} class={lacking.length ? "" : "has"} data-wanted={name} data-lacking={lacking.length}>
          <Icon name={lacking.length ? "open" : "check"} size="sm" />
          {lacking[0] ? (
            <button type="button" class="go" onClick={() => goToField(session, lacking[0]?.path ?? "")}>
              {words}
              {lacking.length > 1 && <span class="num"> ({lacking.length} left)</span>}
            </button>
          ) : (
            <span>
              {words}
              <span class="vh">, done</span>
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
