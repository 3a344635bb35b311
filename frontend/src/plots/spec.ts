// What the server says of a plot, in the JSON inside its figure. The table beside it is made of the same rows.

export type Value = number | string | null;
export type Row = Record<string, Value>;

export interface Axis {
  key: string;
  words: string;
  kind: "number" | "time" | "band";
  least: number | null;
  most: number | null;
}

/** A line across the plot: what the numbers are held against. */
export interface Rule {
  axis: "x" | "y";
  value: Value;
  words: string;
  tone: "ceiling" | "chance" | "now";
}

export interface Spec {
  kind: "lines" | "bars" | "intervals" | "points";
  x: Axis;
  y: Axis;
  series: string;
  names: string[];
  low: string;
  high: string;
  href: string;
  title: string;
  rules: Rule[];
  rows: Row[];
}

/** The figure's spec; null where it holds none. */
export function specOf(figure: Element): Spec | null {
  const json = figure.querySelector("script[type='application/json']")?.textContent;
  return json ? (JSON.parse(json) as Spec) : null;
}

/** A value as its axis wants it: moments as dates, all else as it is; undefined is never drawn. */
export function along(axis: Axis, row: Row, key = axis.key): Date | Value {
  const value = row[key] ?? null;
  return axis.kind === "time" && value !== null ? new Date(value) : value;
}

/** Rows that have a place on both axes. */
export function placed(spec: Spec): Row[] {
  return spec.rows.filter((row) => along(spec.x, row) !== null && along(spec.y, row) !== null);
}

/** The bounds that an axis was given, or none. */
export function bounds(axis: Axis): [number, number] | undefined {
  return axis.least !== null && axis.most !== null ? [axis.least, axis.most] : undefined;
}
