// Answers side by side: who said what and how surely, the votes, and how likely each option is.
import type { JSX } from "preact";
import type { Answer } from "../api/types";
import type { ReadingSaid, Answers as Votes } from "./data";
import { takeAnswer, takeReading } from "./merge";
import { change, consensus, draft, page, readings } from "./state";
import { Swatch } from "./Tools";
import { beside, nameOf, styleOf } from "./view";

const percent = (share: number | undefined): string => (share === undefined ? "–" : `${Math.round(share * 100)} %`);

export function answerText(answer: Answer | null): string {
  if (!answer) return "no answer";
  if (answer.choice) return `${answer.choice}  ${page.value?.case.options?.[answer.choice] ?? ""}`;
  if (answer.boxes) return `${answer.boxes.length} box${answer.boxes.length === 1 ? "" : "es"}`;
  return answer.text ?? "";
}

/** Who leads, by how many of how many. */
export function voteWords({ is_tie, majority, votes, n }: Votes): string {
  const all = `${n} vote${n === 1 ? "" : "s"}`;
  return is_tie || majority === null
    ? `The vote is tied, ${all}.`
    : `Majority: ${majority}, ${votes[majority]} of ${all}.`;
}

function Summary(): JSX.Element | null {
  const found = consensus.value?.answers;
  if (!found || found.n === 0) return null;
  const model = found.dawid_skene;
  return (
    <p class="sm t2">
      {voteWords(found)}
      {!model && " Too few answers in this benchmark to weigh readers by how they err."}
      {model && (
        <>
          {" "}
          Weighed by how readers err in this benchmark ({model.ratings} answers over {model.cases} cases):{" "}
          <b>{model.best}</b>, uncertainty {model.entropy_bits.toFixed(2)} of {model.most_entropy_bits.toFixed(2)} bits.
        </>
      )}
    </p>
  );
}

/** Take an option; it is the first reader's who chose it. */
function pickOption(option: string): void {
  const by = readings.value.find((said) => said.content.answer?.choice === option) ?? null;
  change((now) => takeAnswer(now, { choice: option }, by));
}

function OptionRow({ option, words }: { option: string; words: string }): JSX.Element {
  const found = consensus.value?.answers;
  const isTaken = draft.value?.content.answer?.choice === option;
  return (
    <tr class={isTaken ? "is-selected" : ""}>
      <th scope="row">
        <b>{option}</b> {words}
      </th>
      {beside.value.map(({ said }) => (
        <td key={said.reading} class="n">
          {said.content.answer?.choice === option ? (
            <span class="med" title="chosen, with this confidence">
              ● {percent(said.content.confidence ?? undefined)}
            </span>
          ) : (
            ""
          )}
        </td>
      ))}
      <td class="n">{found?.votes[option] ?? 0}</td>
      <td class="n">{percent(found?.dawid_skene?.posterior[option])}</td>
      <td class="n">
        {draft.value && (
          <button type="button" class="btn sm" aria-pressed={isTaken} onClick={() => pickOption(option)}>
            {isTaken ? "Taken" : "Take"}
            <span class="vh"> option {option}</span>
          </button>
        )}
      </td>
    </tr>
  );
}

function WrittenRow({ said }: { said: ReadingSaid }): JSX.Element {
  return (
    <tr>
      <th scope="row">
        <ReaderHead said={said} />
      </th>
      <td class="wordy">{answerText(said.content.answer)}</td>
      <td class="n">{percent(said.content.confidence ?? undefined)}</td>
      <td class="takes">
        <span class="row">
          <TakeWhole said={said} />
          {draft.value && said.content.answer && (
            <button
              type="button"
              class="btn sm"
              onClick={() => change((now) => takeAnswer(now, said.content.answer, said))}
            >
              Take answer<span class="vh"> of {nameOf(said)}</span>
            </button>
          )}
        </span>
      </td>
    </tr>
  );
}

export function ReaderHead({ said }: { said: ReadingSaid }): JSX.Element {
  return (
    <div class="reader-head">
      <Swatch style={styleOf(said)} />
      <span class="trunc" title={nameOf(said)}>
        {said.reader}
        <span class="who">{nameOf(said).slice(said.reader.length)}</span>
      </span>
      {!said.is_of_this_input && (
        <span class="badge warn" title="The images or the question have changed since; not counted in the consensus">
          older input
        </span>
      )}
    </div>
  );
}

function TakeWhole({ said }: { said: ReadingSaid }): JSX.Element | null {
  if (!draft.value) return null;
  return (
    <button type="button" class="btn sm" onClick={() => change((now) => takeReading(now, said))}>
      Take all<span class="vh"> of {nameOf(said)}</span>
    </button>
  );
}

export function Answers(): JSX.Element {
  const options = Object.entries(page.value?.case.options ?? {});
  return (
    <section class="card" aria-labelledby="answers-title">
      <div class="card-head">
        <h2 id="answers-title">Answers</h2>
        <Summary />
      </div>
      <div class="scrolls">
        {options.length > 0 ? (
          <table class="table side-by-side answers-table">
            <thead>
              <tr>
                <th>Option</th>
                {beside.value.map(({ said }) => (
                  <th key={said.reading} class="n">
                    <ReaderHead said={said} />
                    <TakeWhole said={said} />
                  </th>
                ))}
                <th class="n">Votes</th>
                <th class="n" title="Dawid and Skene: how likely the option is, given who errs how often">
                  Likely
                </th>
                <th>
                  <span class="vh">Take</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {options.map(([option, words]) => (
                <OptionRow key={option} option={option} words={words} />
              ))}
            </tbody>
          </table>
        ) : (
          <table class="table side-by-side">
            <thead>
              <tr>
                <th>Reader</th>
                <th>Answer</th>
                <th class="n">Confidence</th>
                <th>
                  <span class="vh">Take</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {beside.value.map(({ said }) => (
                <WrittenRow key={said.reading} said={said} />
              ))}
            </tbody>
          </table>
        )}
      </div>
    </section>
  );
}
