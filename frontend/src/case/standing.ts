// Which of several rows about one thing is shown: what says what it would say now, else the newest that is still there.
import type { Score } from "./data";

/** One number for each metric and layer; a stale one keeps its place until something replaces it. */
export function standing(rows: readonly Score[]): Score[] {
  const kept = new Map<string, Score>();
  for (const row of rows) {
    if (row.is_replaced) continue;
    const key = `${row.metric} ${row.layer}`;
    const other = kept.get(key);
    if (other === undefined || isBetter(row, other)) kept.set(key, row);
  }
  return [...kept.values()];
}

function isBetter(row: Score, other: Score): boolean {
  if (row.is_stale !== other.is_stale) return !row.is_stale;
  return row.target.revision > other.target.revision;
}
