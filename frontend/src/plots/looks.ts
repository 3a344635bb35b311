// How series are told apart: never by colour alone. Colours are tokens, so that a change of theme draws nothing anew.
import type { Row, Rule, Spec } from "./spec";

export interface Look {
  colour: string;
  dash: string;
  symbol: "circle" | "diamond" | "square" | "triangle" | "cross" | "star";
}

const LOOKS: Look[] = [
  { colour: "var(--plot-1)", dash: "", symbol: "circle" },
  { colour: "var(--plot-2)", dash: "7 3", symbol: "diamond" },
  { colour: "var(--plot-3)", dash: "2 3", symbol: "triangle" },
  { colour: "var(--text-2)", dash: "10 3 2 3", symbol: "square" },
  { colour: "var(--bad)", dash: "4 2", symbol: "cross" },
  { colour: "var(--info)", dash: "14 4", symbol: "star" },
];
const PLAIN = LOOKS[0] as Look;

/** The look of a series by its place; from the seventh on they repeat, and the table tells. */
export function lookOf(at: number): Look {
  return LOOKS[Math.max(at, 0) % LOOKS.length] ?? PLAIN;
}

/** The look of a row's series. */
export function lookOfRow(spec: Spec, row: Row): Look {
  return spec.series ? lookOf(spec.names.indexOf(String(row[spec.series]))) : PLAIN;
}

const RULES: Record<Rule["tone"], { colour: string; dash: string }> = {
  ceiling: { colour: "var(--plot-3)", dash: "" },
  chance: { colour: "var(--plot-null)", dash: "3 2" },
  now: { colour: "var(--text-3)", dash: "2 3" },
};

export function lookOfRule(rule: Rule): { colour: string; dash: string } {
  return RULES[rule.tone];
}
