import type { JSX } from "preact";
import type { FieldError } from "../api/types";
import type { Session } from "../state/session";
import { AnswerBox } from "./AnswerBox";
import { Icon } from "./icons";
import { RoiList } from "./RoiList";
import { Steps } from "./Steps";

const MOST_NAMED = 3;

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

export function SidePanel({ session }: { session: Session }): JSX.Element | null {
  const handed = session.handed.value;
  if (!handed) return null;
  const { question, history } = handed.case;
  const places = ["answer", "confidence", "rois", "steps"];
  const errors = session.errors.value;
  const isPlaced = ({ path }: FieldError): boolean => places.some((place) => path.startsWith(place));
  const elsewhere = errors.filter((error) => !isPlaced(error));
  const placed = errors.filter(isPlaced);
  // Each also stands at its field, which may be scrolled out of sight.
  const named = placed.slice(0, MOST_NAMED);
  const more = placed.length - named.length;
  return (
    <aside class="ws-panel" aria-label="Reading">
      <div class="q">
        <div class="row between">
          <h2 class="q-head">Question</h2>
          <span class="badge line">
            <Icon name="lock" />
            {handed.reading.arm === "aided" ? "Aided reading" : "Blind reading"}
          </span>
        </div>
        <p data-testid="question">{question || "No question: describe what the images show."}</p>
        {history && <p class="hist">{history}</p>}
      </div>
      {(errors.length > 0 || session.notice.value) && (
        <div class="notice bad panel-notice" role="alert">
          <Icon name="warn" />
          <div>
            {errors.length > 0 && (
              <strong>
                Not submitted: {errors.length === 1 ? "one thing is" : `${errors.length} things are`} missing or wrong.{" "}
              </strong>
            )}
            {named.map((error) => `${sentence(error.detail)} `)}
            {more > 0 && `And ${more} more, each at its place. `}
            {elsewhere.map((error) => `${error.path}: ${error.detail}. `)}
            {session.notice.value}
          </div>
        </div>
      )}
      <Steps session={session} />
      <AnswerBox session={session} />
      <RoiList session={session} />
      <div class="locked">
        <Icon name="lock" size="sm" />
        <span>Model and other readings</span>
        <span class="end">open after you submit</span>
      </div>
    </aside>
  );
}
