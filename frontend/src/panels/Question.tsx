import type { JSX } from "preact";
import type { CaseInfo, Protocol } from "../api/types";
import type { Session } from "../state/session";
import { Icon } from "./icons";

const TASKS: Record<string, { name: string; help: string }> = {
  PI: { name: "Plane identification", help: "Name the plane that the picture shows." },
  VC: { name: "View conformity", help: "Judge whether the view meets the standard of its plane." },
  FO: { name: "Fetal orientation", help: "Say which way the head or the body points in this view." },
  CD: { name: "Clinical diagnosis", help: "Say what the picture suggests, from the picture alone." },
  VG: {
    name: "Visual grounding",
    help: "Name what the red dashed rectangle holds, then draw your own region around it.",
  },
  localization: { name: "Localization", help: "Draw where the target is." },
  attribute: { name: "Attribute", help: "Draw where the answer is decided." },
};

/** What to do where the question alone does not say it. */
function helpOf({ task, options }: CaseInfo, { kind, required }: Protocol): string {
  const help = TASKS[task]?.help ?? "";
  if (kind !== "vgmed") return help;
  const isAnswered = options !== null || required.includes("answer");
  return `${help || "Draw where the answer is decided."}${isAnswered ? "" : " No answer is asked for."}`;
}

function armWords(session: Session, arm: string): string {
  if (session.isLocked) return "Submitted";
  return arm === "aided" ? "Aided reading" : "Blind reading";
}

export function Question({ session }: { session: Session }): JSX.Element | null {
  const handed = session.handed.value;
  if (!handed) return null;
  const { question, history, task } = handed.case;
  const help = helpOf(handed.case, session.data.protocol);
  return (
    <div class="q">
      <div class="row between">
        <h2 class="q-head">
          Question
          {TASKS[task] && (
            <span class="q-task" data-testid="task">
              {TASKS[task].name}
            </span>
          )}
        </h2>
        <span class="badge line">
          <Icon name="lock" />
          {armWords(session, handed.reading.arm)}
        </span>
      </div>
      <p data-testid="question">{question || "No question: describe what the images show."}</p>
      {help && (
        <p class="q-help" data-testid="task-help">
          {help}
        </p>
      )}
      {history && <p class="hist">{history}</p>}
    </div>
  );
}
