import type { JSX } from "preact";
import type { FieldError } from "../api/types";
import type { Session } from "../state/session";
import { goToField } from "./goto";
import { Icon } from "./icons";

const MOST_NAMED = 3;
const PLACES = ["answer", "confidence", "rois", "steps"];

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/** Why the reading was not submitted or its draft not taken; each fault leads to its field. */
export function Notice({ session }: { session: Session }): JSX.Element | null {
  const saving = session.autosave.value?.state.value;
  const refused = saving?.kind === "refused" ? saving : null;
  const errors = session.faults.value;
  const notice = session.notice.value ?? (refused && errors.length === 0 ? `${sentence(refused.detail)}.` : null);
  if (errors.length === 0 && !notice) return null;
  const things = errors.length === 1 ? "one thing is" : `${errors.length} things are`;
  // Each also stands at its field, which may be scrolled out of sight.
  const named = errors.slice(0, MOST_NAMED);
  return (
    <div class="notice bad panel-notice" role="alert" data-testid="notice">
      <Icon name="warn" />
      <div>
        {refused ? (
          <strong>The server does not take this draft. It is kept on this computer until it is mended.</strong>
        ) : (
          errors.length > 0 && <strong>Not submitted: {things} missing or wrong.</strong>
        )}
        {named.length > 0 && (
          <ul class="faults">
            {named.map((error) => (
              <Fault key={error.path + error.detail} session={session} error={error} />
            ))}
            {errors.length > named.length && <li>and {errors.length - named.length} more, each at its place</li>}
          </ul>
        )}
        {notice && <p>{notice}</p>}
      </div>
    </div>
  );
}

function Fault({ session, error }: { session: Session; error: FieldError }): JSX.Element {
  const isPlaced = PLACES.some((place) => error.path.startsWith(place));
  if (!isPlaced) return <li>{[error.path, error.detail].filter(Boolean).join(": ")}</li>;
  return (
    <li>
      <button type="button" class="go" onClick={() => goToField(session, error.path)}>
        {sentence(error.detail)}
      </button>
    </li>
  );
}
