import type { JSX } from "preact";
import type { Step } from "../api/types";
import { appendStep } from "../state/act";
import { changeStep, deleteStep, moveStep } from "../state/edits";
import type { Session } from "../state/session";
import { Errors } from "./Errors";
import { Icon } from "./icons";
import { KindSelect } from "./KindSelect";
import { CiteHint, StepCites } from "./StepCites";
import { StepText } from "./StepText";

export function Steps({ session }: { session: Session }): JSX.Element {
  const steps = session.store.content.value.steps;
  const general = session.faults.value.filter((error) => error.path === "steps");
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
          {session.data.protocol.kind === "vgmed" && "Only if something needs words. "}
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

interface RowProps {
  session: Session;
  step: Step;
  index: number;
  count: number;
}

function StepRow({ session, step, index, count }: RowProps): JSX.Element {
  const isActive = session.activeStep.value === step.id;
  const isLit = step.evidence.some((roi) => session.hovered.value.has(roi));
  const errors = session.faults.value.filter((error) => error.path.startsWith(`steps[${index}]`));
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
          {isActive && <CiteHint isShort />}
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
        <StepText
          session={session}
          id={step.id}
          text={step.text}
          label={`Text of step ${index + 1}`}
          isWrong={errors.length > 0}
          isFresh={isActive}
          write={(text) => session.store.change((c) => changeStep(c, step.id, { text }), `text ${step.id}`)}
        />
        <Errors errors={errors} />
        <StepCites session={session} id={step.id} evidence={step.evidence} />
      </div>
    </li>
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
