import type { JSX } from "preact";
import type { Session } from "../state/session";
import type { FormRow } from "../state/slots";
import { Icon } from "./icons";

/** The candidates beside the differential: a press writes one at the end of the text, to go on from. */
export function Options({ session, row }: { session: Session; row: FormRow }): JSX.Element | null {
  const options = session.handed.value?.case.options;
  if (!options) return null;
  const text = row.step?.text ?? "";
  const name = (letter: string): string => `${letter}, ${options[letter]}: `;
  const add = (letter: string): void => {
    session.store.seal();
    session.form.write(row, `${text.trimEnd()}${text.trim() ? "\n" : ""}${name(letter)}`);
    session.store.seal();
    const field = document.querySelector<HTMLTextAreaElement>(`[data-text="${CSS.escape(row.id)}"]`);
    field?.focus();
    requestAnimationFrame(() => field?.setSelectionRange(field.value.length, field.value.length));
  };
  return (
    <div class="weigh" role="group" aria-label="Candidates to weigh">
      <span>Weigh</span>
      {Object.entries(options).map(([letter, words]) => {
        const isWeighed = text.includes(name(letter).trimEnd());
        return (
          <button
            key={letter}
            type="button"
            class="candidate"
            title={isWeighed ? `${words}: in the text` : words}
            aria-label={`Weigh ${letter}: ${words}`}
            disabled={isWeighed}
            onClick={() => add(letter)}
          >
            {letter}
            {isWeighed && <Icon name="check" size="sm" />}
          </button>
        );
      })}
    </div>
  );
}
