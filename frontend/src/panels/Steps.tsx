import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { FieldError, Step, StepKind } from "../api/types";
import { appendStep } from "../state/act";
import { changeStep, deleteStep, moveStep, uncite } from "../state/edits";
import type { Session } from "../state/session";
import { Cite } from "./Cite";
import { Icon } from "./icons";
import { kindName } from "./words";

export function Steps({ session }: { session: Session }): JSX.Element {
  const steps = session.store.content.value.steps;
  const general = session.errors.value.filter((error) => error.path === "steps");
  return (
    <div class="steps" data-testid="steps">
      <div class="sec">
        <h2>Steps</h2> <span class="t3 num">{steps.length}</span>
        <span class="end row">
          <button type="button" class="btn ghost sm add-step" onClick={() => appendStep(session)}>
            <Icon name="plus" size="sm" />
            Step
          </button>
        </span>
      </div>
      <Errors errors={general} />
      {steps.length === 0 && (
        <p class="steps-none t3">
          Write what you see, one step at a time. What you draw while a step is active is cited in it.
        </p>
      )}
      <ol>
        {steps.map((step, index) => (
          <StepRow key={step.id} session={session} step={step} index={index} count={steps.length} />
        ))}
      </ol>
    </div>
  );
}

export function Errors({ errors }: { errors: readonly FieldError[] }): JSX.Element | null {
  if (errors.length === 0) return null;
  return (
    <div class="field-errors" role="alert">
      {errors.map((error) => (
        <div class="error" key={error.path + error.detail} data-error={error.path}>
          <Icon name="warn" size="sm" />
          {error.detail}
        </div>
      ))}
    </div>
  );
}

interface RowProps {
  session: Session;
  step: Step;
  index: number;
  count: number;
}

function StepRow({ session, step, index, count }: RowProps): JSX.Element {
  const isActive = session.activeStep.value === step.id;
  const rois = session.rois.value.filter((roi) => step.evidence.includes(roi.id));
  const isLit = rois.some((roi) => session.hovered.value.has(roi.id));
  const errors = session.errors.value.filter((error) => error.path.startsWith(`steps[${index}]`));
  const activate = (): void => {
    session.activeStep.value = step.id;
  };
  return (
    <li
      class={`step${isActive ? " active" : ""}${isLit ? " lit" : ""}`}
      data-step={step.id}
      onPointerEnter={() => (session.hovered.value = new Set(step.evidence))}
      onPointerLeave={() => (session.hovered.value = new Set())}
      onFocusCapture={activate}
      onPointerDown={activate}
    >
      <span class="no">{index + 1}</span>
      <div>
        <div class="kind">
          <KindSelect session={session} step={step} index={index} />
          {step.evidence.length === 0 && (
            <span class="warn row none-cited">
              <Icon name="warn" size="sm" />
              no ROI cited
            </span>
          )}
          <span class="end row step-acts">
            <Act
              label={`Move step ${index + 1} up`}
              icon="up"
              isOff={index === 0}
              act={() => session.store.change((c) => moveStep(c, step.id, -1))}
            />
            <Act
              label={`Move step ${index + 1} down`}
              icon="down"
              isOff={index === count - 1}
              act={() => session.store.change((c) => moveStep(c, step.id, 1))}
            />
            <Act
              label={`Delete step ${index + 1}`}
              icon="bin"
              act={() => session.store.change((c) => deleteStep(c, step.id))}
            />
          </span>
        </div>
        <StepText session={session} step={step} index={index} isActive={isActive} isWrong={errors.length > 0} />
        <Errors errors={errors} />
        {(rois.length > 0 || isActive) && (
          <div class="cites">
            {rois.map((roi) => (
              <Cite
                key={roi.id}
                session={session}
                roi={roi}
                remove={() => session.store.change((c) => uncite(c, step.id, roi.id))}
              />
            ))}
            {isActive && (
              <span class="cite-hint t2">
                new ROIs are cited here <kbd class="kbd">c</kbd>
              </span>
            )}
          </div>
        )}
      </div>
    </li>
  );
}

function StepText({
  session,
  step,
  index,
  isActive,
  isWrong,
}: Omit<RowProps, "count"> & { isActive: boolean; isWrong: boolean }): JSX.Element {
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const element = field.current;
    // A browser that sizes the field by its text needs no help.
    if (!element || CSS.supports("field-sizing", "content")) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [step.text]);
  useLayoutEffect(() => {
    if (isActive && step.text === "") field.current?.focus({ preventScroll: false });
  }, [isActive]);
  return (
    <textarea
      ref={field}
      class="txt"
      rows={1}
      value={step.text}
      maxLength={20000}
      aria-label={`Text of step ${index + 1}`}
      aria-invalid={isWrong}
      onInput={(event) => {
        const text = event.currentTarget.value;
        session.store.change((content) => changeStep(content, step.id, { text }), `text ${step.id}`);
      }}
      onBlur={() => session.store.seal()}
    />
  );
}

function KindSelect({ session, step, index }: Omit<RowProps, "count">): JSX.Element {
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

function Act({
  label,
  icon,
  isOff = false,
  act,
}: {
  label: string;
  icon: "up" | "down" | "bin";
  isOff?: boolean;
  act: () => void;
}): JSX.Element {
  return (
    <button
      type="button"
      class="btn ghost icon sm"
      aria-label={label}
      title={label}
      disabled={isOff}
      onClick={(event) => {
        event.stopPropagation();
        act();
      }}
    >
      <Icon name={icon} size="sm" />
    </button>
  );
}
