// Steps in rows: what readers say alike stands side by side, what only some say stands out.
import type { JSX } from "preact";
import type { Step } from "../api/types";
import { kindName } from "../panels/words";
import { ReaderHead } from "./Answers";
import { board } from "./board";
import type { ReadingSaid, StepRow } from "./data";
import { takeStep } from "./merge";
import { change, consensus, draft } from "./state";
import { pieces, saidWords, viewLetter, viewsIn } from "./steprows";
import { beside, counted, lights, nameOf } from "./view";

const HEAD_PX = 108;
const COLUMN_PX = 150;

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

interface CellProps {
  said: ReadingSaid;
  row: StepRow;
  at: number;
}

function Text({ text, row, at }: { text: string; row: StepRow; at: number }): JSX.Element {
  if (!text) return <span class="t3">no words</span>;
  return (
    <>
      {pieces(text, row.differing[at] ?? []).map((piece, number) =>
        piece.differs ? (
          <mark key={number} title="Not everybody in this row says so">
            {piece.text}
          </mark>
        ) : (
          piece.text
        ),
      )}
    </>
  );
}

function Cell({ said, row, at }: CellProps): JSX.Element {
  const place = row.steps[at] ?? null;
  const letter = viewLetter(row, at);
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
          {letter && (
            <span class={`says says-${letter}`} title="Those with the same letter say the same">
              {letter}
            </span>
          )}
          {place + 1}. {kindName(step.kind)}
          {step.image !== null && `, image ${step.image}`}
          {step.is_critical && <span class="badge bad">critical</span>}
        </span>
        <p>
          <Text text={step.text} row={row} at={at} />
        </p>
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

function RowHead({ row, voices }: { row: StepRow; voices: readonly number[] }): JSX.Element {
  const views = viewsIn(row, voices);
  return (
    <th scope="row" class="xs">
      <span class="num">{saidWords(row, voices)}</span>
      {views > 1 && <span class="badge bad">not the same</span>}
      {row.critical > 0 && row.critical < row.said_by && <span class="badge warn">critical for {row.critical}</span>}
      {row.likeness !== null && views === 1 && (
        <span
          class="t3"
          title="Of the two that are least alike: by their words and place, 0 where one denies or contradicts the other. From 0.50 on agreement counts them as the same. Synonyms are not known."
        >
          {row.likeness.toFixed(2)} alike
        </span>
      )}
    </th>
  );
}

export function StepTable(): JSX.Element {
  const voices = counted.value;
  const columns = beside.value;
  const rows = (consensus.value?.steps ?? []).filter((row) => columns.some(({ at }) => row.steps[at] !== null));
  return (
    <section class="card" aria-labelledby="steps-title">
      <div class="card-head">
        <h2 id="steps-title">Steps</h2>
        <span class="t3">steps about the same stand in one row; words that not everybody has are marked</span>
      </div>
      {rows.length === 0 ? (
        <p class="card-body t2">Nobody wrote a step.</p>
      ) : (
        <div class="scrolls">
          <table
            class="table side-by-side steps-table"
            style={{ minWidth: `${HEAD_PX + columns.length * COLUMN_PX}px` }}
          >
            <thead>
              <tr>
                <th>
                  <span class="vh">Said by</span>
                </th>
                {columns.map(({ said }) => (
                  <th key={said.reading}>
                    <ReaderHead said={said} />
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row, number) => (
                <tr key={number} class={row.said_by < voices.length || viewsIn(row, voices) > 1 ? "differs" : ""}>
                  <RowHead row={row} voices={voices} />
                  {columns.map(({ said, at }) => (
                    <Cell key={said.reading} said={said} row={row} at={at} />
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
