// What a row of steps is: how many have one, whether they say the same, and which words differ.
import type { StepRow } from "./data";

/** A piece of a text, and whether not all in its row have it. */
export interface Piece {
  text: string;
  differs: boolean;
}

/** A text in pieces; `spans` count characters as the server does, of which some are two for the browser. */
export function pieces(text: string, spans: readonly (readonly [number, number])[]): Piece[] {
  const signs = Array.from(text);
  const found: Piece[] = [];
  let at = 0;
  for (const [start, end] of spans) {
    if (start > at) found.push({ text: signs.slice(at, start).join(""), differs: false });
    found.push({ text: signs.slice(start, end).join(""), differs: true });
    at = end;
  }
  if (at < signs.length) found.push({ text: signs.slice(at).join(""), differs: false });
  return found;
}

/** What those say in a row of whom the consensus is made; the others stand beside them. */
const counts = (row: StepRow, counted: readonly number[]): number[] =>
  counted.map((reader) => row.views[reader] ?? null).filter((view) => view !== null);

/** How many different things are said in a row. */
export function viewsIn(row: StepRow, counted: readonly number[]): number {
  return new Set(counts(row, counted)).size;
}

/** "3 of 3" where all say the same of it, "2 : 1" where they do not; the most first. */
export function saidWords(row: StepRow, counted: readonly number[]): string {
  if (viewsIn(row, counted) < 2) return `${row.said_by} of ${counted.length}`;
  const many = new Map<number, number>();
  for (const view of counts(row, counted)) many.set(view, (many.get(view) ?? 0) + 1);
  return [...many.values()].sort((a, b) => b - a).join(" : ");
}

/** The letter of what a reader says there, where not all say the same. */
export function viewLetter(row: StepRow, reader: number): string {
  const view = row.views[reader] ?? null;
  const all = row.views.map((_, at) => at);
  return view === null || viewsIn(row, all) < 2 ? "" : String.fromCharCode(97 + view);
}
