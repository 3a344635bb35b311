// The gold being put together: what was taken, to be edited, with the reason it will be defended by.
import type { JSX } from "preact";
import { clock } from "../panels/words";
import { answerText } from "./Answers";
import { board } from "./board";
import type { Draft } from "./data";
import { AnswerPart, Reason, RoiPart, StepPart } from "./GoldParts";
import { saysSomething, takeConsensus } from "./merge";
import { autosave, change, close, consensus, draft, isBusy, readings } from "./state";
import { Swatch } from "./Tools";

const ACTIONS = {
  pick: "one reading as it is",
  edit: "written or changed by you",
  merge: "parts of several readings",
  consensus: "the computed consensus",
} as const;

function saveWords(): { words: string; look: string } {
  const state = autosave.value?.state.value;
  switch (state?.kind) {
    case "saving":
      return { words: "Saving…", look: "t3" };
    case "saved":
      return { words: state.at ? `Saved ${clock(state.at)}` : "Nothing to save yet", look: "t3" };
    case "offline":
      return { words: "Not on the server yet; kept on this computer and sent again", look: "warn" };
    case "signed-out":
      return { words: "Signed out; kept on this computer. Log in again in another tab", look: "warn" };
    case "refused":
      return { words: `Not saved: ${state.detail}`, look: "bad" };
    case "locked":
      return {
        words: "This review ended or went to somebody else; your version is kept on this computer",
        look: "bad",
      };
    case "conflict":
      return { words: "Changed in another tab", look: "warn" };
    default:
      return { words: "", look: "t3" };
  }
}

function Sources({ now }: { now: Draft }): JSX.Element {
  const names = now.sources.flatMap((one) => {
    const said = readings.value.find((reading) => reading.reading === one.reading);
    return said ? [`${said.reader} revision ${one.revision}`] : [];
  });
  const asItIs = saysSomething(now.content) ? "the gold in force, nothing changed yet" : "nothing taken yet";
  const how = now.action ? ACTIONS[now.action] : asItIs;
  return (
    <p class="sm t2">
      {how}
      {names.length > 0 && `: ${names.join(", ")}`}
    </p>
  );
}

export function GoldDraft(): JSX.Element | null {
  const now = draft.value;
  const found = consensus.value;
  if (!now || !found) return null;
  const { words, look } = saveWords();
  const lacks = !saysSomething(now.content)
    ? "Take or write something first"
    : now.reason.trim() === ""
      ? "Write the reason first"
      : board.trace.value
        ? `Close the open polygon on image ${board.trace.value.image} first`
        : "";
  return (
    <section class="card" aria-labelledby="gold-title">
      <div class="card-head">
        <Swatch style="gold" />
        <h2 id="gold-title">The gold you are making</h2>
        <span class={`end xs ${look}`} role="status">
          {words}
        </span>
      </div>
      <div class="card-body stack">
        <div class="row between">
          <Sources now={now} />
          <button
            type="button"
            class="btn sm"
            onClick={() => change((was) => takeConsensus(was, found, () => crypto.randomUUID()), { isComputed: true })}
          >
            Take the consensus
          </button>
        </div>
        <AnswerPart now={now} />
        <h3>Regions {now.content.rois.length}</h3>
        <ul class="region-list">
          {now.content.rois.map((roi, index) => (
            <RoiPart key={roi.id} roi={roi} number={index + 1} />
          ))}
        </ul>
        <h3>Steps {now.content.steps.length}</h3>
        <ol class="stack">
          {now.content.steps.map((step, index) => (
            <StepPart key={step.id} step={step} number={index + 1} last={now.content.steps.length} />
          ))}
        </ol>
        <Reason now={now} />
        <div class="row between">
          <span class="xs t3">{lacks}</span>
          <button
            type="button"
            class="btn primary"
            disabled={lacks !== "" || isBusy.value}
            onClick={() => void close()}
          >
            Close and write the gold
          </button>
        </div>
      </div>
    </section>
  );
}

export function GoldInForce(): JSX.Element | null {
  const gold = consensus.value?.gold;
  if (draft.value) return null;
  return (
    <section class="card" aria-labelledby="gold-title">
      <div class="card-head">
        <Swatch style="gold" />
        <h2 id="gold-title">{gold ? `Gold, revision ${gold.revision}` : "No gold yet"}</h2>
      </div>
      {gold && (
        <div class="card-body stack">
          <p>{answerText(typeof gold.answer === "string" ? { choice: gold.answer } : gold.answer)}</p>
          <ul class="region-list">
            {gold.rois.map((roi, index) => (
              <RoiPart key={roi.id} roi={roi} number={index + 1} />
            ))}
          </ul>
          <ol class="stack">
            {gold.steps.map((step, index) => (
              <li key={step.id ?? index} class="sm">
                {index + 1}. {step.text}
                {step.is_critical && <span class="badge bad">critical</span>}
              </li>
            ))}
          </ol>
        </div>
      )}
    </section>
  );
}
