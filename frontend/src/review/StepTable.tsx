// Steps in rows: what readers say alike stands side by side, what only some say stands out.
import type { JSX } from "preact";
import type { Step } from "../api/types";
import { kindName } from "../panels/words";
import { ReaderHead } from "./Answers";
import { board } from "./board";
import type { ReadingSaid, StepRow } from "./data";
import { takeStep } from "./merge";
import { change, consensus, draft, readings } from "./state";
import { lights, nameOf } from "./view";

function Cites({ said, step }: { said: ReadingSaid; step: Step }): JSX.Element | null {
  const rois = said.content.rois;
  if (step.evidence.length === 0) return <span class="xs t3">no region cited</span>;
  return (
    <span class="row wrap">
      {step.evidence.map((id) => {
        const at = rois.findIndex((roi) => roi.id === id);
        const roi = rois[at];
        return roi ? (
          <button key={id} type="button" class="chip cite" onClick={() => board.goTo(roi)} {...lights(id)}>
            {said.reader}.{at + 1}
          </button>
        ) : null;
      })}
    </span>
  );
}

function Cell({ said, place }: { said: ReadingSaid; place: number | null }): JSX.Element {
  const step = place === null ? undefined : said.content.steps[place];
  if (!step || place === null)
    return (
      <td class="absent">
        <span class="t3" title={`${nameOf(said)} says nothing like it`}>
          –
        </span>
      </td>
    );
  const isTaken = draft.value?.content.steps.some((one) => one.id === step.id) ?? false;
  return (
    <td>
      <div class="step-cell">
        <span class="row wrap xs t3">
          {place + 1}. {kindName(step.kind)}
          {step.image !== null && `, image ${step.image}`}
          {step.is_critical && <span class="badge bad">critical</span>}
        </span>
        <p>{step.text || <span class="t3">no words</span>}</p>
        <span class="row between">
          <Cites said={said} step={step} />
          {draft.value && (
            <button
              type="button"
              class="btn sm"
              disabled={isTaken}
              onClick={() => change((now) => takeStep(now, step, said, said.content.rois))}
            >
              {isTaken ? "Taken" : "Take"}
              <span class="vh">
                {" "}
                step {place + 1} of {nameOf(said)}
              </span>
            </button>
          )}
        </span>
      </div>
    </td>
  );
}

function rowWords(row: StepRow, count: number): string {
  return `${row.said_by} of ${count}`;
}

export function StepTable(): JSX.Element {
  const rows = consensus.value?.steps ?? [];
  const count = readings.value.length;
  return (
    <section class="card" aria-labelledby="steps-title">
      <div class="card-head">
        <h2 id="steps-title">Steps</h2>
        <span class="t3">steps that match by words and shared evidence stand in one row; read what differs</span>
      </div>
      {rows.length === 0 ? (
        <p class="card-body t2">Nobody wrote a step.</p>
      ) : (
        <div class="scrolls">
          <table class="table side-by-side steps-table">
            <thead>
              <tr>
                <th>
                  <span class="vh">Said by</span>
                </th>
                {readings.value.map((said) => (
                  <th key={said.reading}>
                    <ReaderHead said={said} />
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row, number) => (
                <tr key={number} class={row.said_by < count ? "differs" : ""}>
                  <th scope="row" class="xs">
                    {rowWords(row, count)}
                    {row.critical > 0 && row.critical < row.said_by && (
                      <span class="badge warn">critical for {row.critical}</span>
                    )}
                    {row.likeness !== null && (
                      <span
                        class="t3"
                        title="How alike the words and the evidence are; 1 is the same. Another noun in the same sentence is still much alike."
                      >
                        {row.likeness.toFixed(2)} alike
                      </span>
                    )}
                  </th>
                  {readings.value.map((said, at) => (
                    <Cell key={said.reading} said={said} place={row.steps[at] ?? null} />
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
