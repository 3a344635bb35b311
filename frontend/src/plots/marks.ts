// Each kind of plot as marks of Observable Plot. Only what is drawn is imported, so that the chunk stays small.
import { areaY, dot, line, link, type Markish, rectY, ruleX, ruleY, text } from "@observablehq/plot";
import { lookOf, lookOfRow, lookOfRule } from "./looks";
import { along, placed, type Row, type Spec } from "./spec";

/** Options that Plot's types do not know together: a mark's title, and its address where the row has one. */
function told(spec: Spec): Record<string, unknown> {
  const title = spec.title ? { title: (row: Row) => row[spec.title] } : {};
  return spec.href ? { ...title, href: (row: Row) => row[spec.href] } : title;
}

function ends(spec: Spec, rows: Row[]): Row[] {
  return rows.filter((row) => (row[spec.low] ?? null) !== null && (row[spec.high] ?? null) !== null);
}

function rules(spec: Spec): Markish[] {
  return spec.rules
    .filter((rule) => rule.value !== null)
    .map((rule) => {
      const { colour, dash } = lookOfRule(rule);
      const axis = rule.axis === "x" ? spec.x : spec.y;
      const at = along(axis, { value: rule.value }, "value") as number;
      const style = { stroke: colour, strokeDasharray: dash, strokeWidth: 1.5 };
      return rule.axis === "x" ? ruleX([at], style) : ruleY([at], style);
    });
}

function eachSeries(spec: Spec, rows: Row[], draw: (rows: Row[], at: number) => Markish[]): Markish[] {
  if (!spec.series) return draw(rows, 0);
  return spec.names.flatMap((name, at) => {
    const own = rows.filter((row) => row[spec.series] === name);
    return own.length ? draw(own, at) : [];
  });
}

function lines(spec: Spec): Markish[] {
  const x = (row: Row) => along(spec.x, row) as Date;
  const y = (row: Row) => along(spec.y, row) as number;
  return eachSeries(spec, placed(spec), (rows, at) => {
    const look = lookOf(at);
    const banded = ends(spec, rows);
    const band = { x, y1: (row: Row) => row[spec.low], y2: (row: Row) => row[spec.high] } as Record<string, unknown>;
    const isFew = rows.length <= 60;
    return [
      areaY(banded, { ...band, fill: look.colour, fillOpacity: 0.14 }),
      line(rows, { x, y, stroke: look.colour, strokeWidth: 2, strokeDasharray: look.dash, strokeLinejoin: "round" }),
      ...(isFew ? [dot(rows, { x, y, fill: look.colour, symbol: look.symbol, r: 3, ...told(spec) })] : []),
    ];
  });
}

function bars(spec: Spec): Markish[] {
  const day = 86_400_000;
  const x1 = (row: Row) => new Date((along(spec.x, row) as Date).getTime() + day * 0.12);
  const x2 = (row: Row) => new Date((along(spec.x, row) as Date).getTime() + day * 0.88);
  const y = (row: Row) => along(spec.y, row) as number;
  return [rectY(placed(spec), { x1, x2, y, fill: "var(--plot-1)", rx: 1.5, ...told(spec) }), ruleY([0], AXIS)];
}

const AXIS = { stroke: "var(--line-strong)" };

function intervals(spec: Spec): Markish[] {
  const rows = placed(spec);
  const y = (row: Row) => along(spec.y, row) as string;
  const reach = { x1: (row: Row) => row[spec.low] as number, x2: (row: Row) => row[spec.high] as number, y1: y, y2: y };
  return eachSeries(spec, rows, (own, at) => {
    const look = lookOf(at);
    return [
      link(ends(spec, own), { ...reach, stroke: look.colour, strokeWidth: 3, strokeLinecap: "round" }),
      dot(own, {
        x: (row: Row) => along(spec.x, row) as number,
        y,
        fill: look.colour,
        symbol: look.symbol,
        r: 4.5,
        stroke: "var(--panel)",
        ...told(spec),
      }),
    ];
  });
}

function points(spec: Spec): Markish[] {
  return eachSeries(spec, placed(spec), (rows) => {
    const look = lookOfRow(spec, rows[0] as Row);
    return [
      dot(rows, {
        x: (row: Row) => along(spec.x, row) as number,
        y: (row: Row) => along(spec.y, row) as number,
        stroke: look.colour,
        fill: look.colour,
        fillOpacity: 0.35,
        symbol: look.symbol,
        r: 4,
        ...told(spec),
      }),
    ];
  });
}

const KINDS = { lines, bars, intervals, points };

/** All marks of a plot, its rules behind them. */
export function marksOf(spec: Spec): Markish[] {
  const none = placed(spec).length === 0;
  const words = none ? [text(["nothing to draw yet"], { frameAnchor: "middle", fill: "var(--text-3)" })] : [];
  return [...rules(spec), ...KINDS[spec.kind](spec), ...words];
}
