import type { JSX } from "preact";
import type { Step, StepKind } from "../api/types";
import { changeStep } from "../state/edits";
import type { Session } from "../state/session";
import { kindName } from "./words";

interface FieldProps {
  session: Session;
  step: Step;
  index: number;
}

export function KindSelect({ session, step, index }: FieldProps): JSX.Element {
  const kinds = session.data.protocol.step_kinds;
  const images = session.images.value;
  const change = (kind: StepKind, image: number | null): void =>
    session.store.change((content) => changeStep(content, step.id, { kind, image }));
  return (
    <>
      <select
        class="kind-select"
        aria-label={`Kind of step ${index + 1}`}
        value={step.kind}
        onChange={(event) => {
          const kind = event.currentTarget.value as StepKind;
          change(kind, kind === "image_finding" ? (step.image ?? session.cell().image.peek() ?? 1) : null);
        }}
      >
        {kinds.map((kind) => (
          <option key={kind} value={kind}>
            {kindName(kind)}
          </option>
        ))}
      </select>
      {step.kind === "image_finding" && images.length > 0 && (
        <select
          class="kind-select"
          aria-label={`Image of step ${index + 1}`}
          value={String(step.image ?? 1)}
          onChange={(event) => change(step.kind, Number(event.currentTarget.value))}
        >
          {images.map((image) => (
            <option key={image.number} value={String(image.number)}>
              image {image.number}
            </option>
          ))}
        </select>
      )}
    </>
  );
}
