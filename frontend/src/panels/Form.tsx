import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { appendStep } from "../state/act";
import type { Session } from "../state/session";
import { type FormRow, isDone } from "../state/slots";
import { Errors } from "./Errors";
import { Icon } from "./icons";
import { Options } from "./Options";
import { CiteHint, StepCites } from "./StepCites";
import { StepText } from "./StepText";
import { kindName } from "./words";

const TITLES: Record<string, { title: string; help: string }> = {
  summary: { title: "Integrated summary", help: "What the images say together." },
  differential: { title: "Differential", help: "For and against each candidate." },
  answer: { title: "Reason for the answer", help: "If it needs one." },
};

/** A structured reading: a field for each thing that the protocol asks for, in its order. */
export function Form({ session, rows }: { session: Session; rows: readonly FormRow[] }): JSX.Element {
  const findings = session.form.findings();
  const errors = session.faults.value.filter((error) => error.path === "steps");
  return (
    <div class="steps form" data-testid="steps">
      <div class="sec">
        <h2>Findings</h2>
        {findings && (
          <span class="t3 num" data-testid="findings-done">
            {findings.done} of {findings.of} images
          </span>
        )}
        <span class="end row">
          <button type="button" class="btn ghost sm add-step" onClick={() => appendStep(session)}>
            <Icon name="plus" size="sm" />
            Finding
          </button>
        </span>
      </div>
      <Errors errors={errors} />
      <ol>
        {rows.map((row) => (
          <Row key={row.key} session={session} row={row} />
        ))}
      </ol>
    </div>
  );
}

function titleOf({ slot, step }: FormRow, session: Session): string {
  if (slot?.image) {
    const image = session.image(slot.image);
    return [`Image ${slot.image}`, image?.view || image?.modality].filter(Boolean).join(", ");
  }
  return TITLES[slot?.kind ?? ""]?.title ?? kindName(step?.kind ?? "free");
}

/** What a screen reader calls the field. */
function labelOf({ slot, step }: FormRow): string {
  if (slot?.image) return `Finding of image ${slot.image}`;
  return TITLES[slot?.kind ?? ""]?.title ?? kindName(step?.kind ?? "free");
}

function Row({ session, row }: { session: Session; row: FormRow }): JSX.Element {
  const element = useRef<HTMLLIElement>(null);
  const { id, slot, step } = row;
  const isActive = session.activeStep.value === id;
  const evidence = step?.evidence ?? [];
  const isLit = evidence.some((roi) => session.hovered.value.has(roi));
  const index = step ? session.store.content.value.steps.indexOf(step) : -1;
  const errors = session.faults.value.filter(
    ({ path }) => path.startsWith(`steps[${index}]`) || path === `steps.${row.key.replace("-", ".")}`,
  );
  useLayoutEffect(() => {
    if (isActive) element.current?.scrollIntoView({ block: "nearest" });
  }, [isActive]);
  const activate = (): void => {
    session.activeStep.value = id;
    const shown = session.cells.peek().findIndex((cell) => cell.image.peek() === slot?.image);
    if (slot?.image) session.show(slot.image, undefined, shown >= 0 ? shown : undefined);
  };
  const isFirstOf = slot?.key === row.key;
  return (
    <li
      ref={element}
      class={`step${isActive ? " active" : ""}${isLit ? " lit" : ""}${slot?.image ? "" : " whole"}`}
      data-step={id}
      data-row={row.key}
      onPointerEnter={() => (session.hovered.value = new Set(evidence))}
      onPointerLeave={() => (session.hovered.value = new Set())}
      onFocusCapture={activate}
      onPointerDown={activate}
    >
      <span class={`no${isDone(row) ? " done" : ""}`}>
        {slot?.image ?? (isDone(row) ? <Icon name="check" size="sm" /> : "")}
      </span>
      <div>
        <div class="kind">
          <span class={slot?.image ? "" : "kind-title"}>{titleOf(row, session)}</span>
          {slot && !slot.image && !isActive && <span class="t3">{TITLES[slot.kind]?.help}</span>}
          {step && slot?.kind !== "answer" && evidence.length === 0 && !isActive && (
            <span class="warn row none-cited">
              <Icon name="warn" size="sm" />
              no ROI cited
            </span>
          )}
          {isActive && <CiteHint />}
          {step && !isFirstOf && (
            <button
              type="button"
              class="btn ghost icon sm end"
              aria-label={`Delete this ${kindName(step.kind).toLowerCase()}`}
              onClick={() => session.form.remove(id)}
            >
              <Icon name="bin" size="sm" />
            </button>
          )}
        </div>
        {slot?.kind === "differential" && <Options session={session} row={row} />}
        <StepText
          session={session}
          id={id}
          text={step?.text ?? ""}
          label={labelOf(row)}
          isWrong={errors.length > 0}
          isFresh={isActive && !isFirstOf}
          write={(text) => session.form.write(row, text)}
        />
        <Errors errors={errors} />
        <StepCites session={session} id={id} evidence={evidence} />
      </div>
    </li>
  );
}
