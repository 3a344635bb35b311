// One drawing: SVG of Observable Plot, a key of its series, and no style of its own, which the CSP would refuse.
import { type PlotOptions, plot } from "@observablehq/plot";
import { lookOf, lookOfRule } from "./looks";
import { marksOf } from "./marks";
import { type Axis, along, bounds, type Spec } from "./spec";

export const CLASS = "drawn-plot";
const HEIGHT = 220;
const ROW_HEIGHT = 30;
const LETTER_PX = 6.4;
const LONGEST_NAME_PX = 170;
const SVG = "http://www.w3.org/2000/svg";

function leftOf(spec: Spec): number {
  if (spec.y.kind !== "band") return 44;
  const longest = Math.max(0, ...spec.rows.map((row) => String(row[spec.y.key] ?? "").length));
  return Math.min(Math.ceil(longest * LETTER_PX) + 18, LONGEST_NAME_PX);
}

function scale(axis: Axis, left: number): Record<string, unknown> {
  const longest = Math.floor((left - 16) / LETTER_PX);
  const short = (name: string): string => (name.length > longest ? `${name.slice(0, longest - 1)}…` : name);
  if (axis.kind === "band") return { type: "point", label: null, padding: 0.6, tickFormat: short, tickSize: 0 };
  const domain = bounds(axis);
  return {
    type: axis.kind === "time" ? "utc" : "linear",
    label: axis.words || null,
    labelArrow: "none",
    grid: true,
    nice: domain === undefined,
    ...(domain ? { domain, clamp: true } : {}),
  };
}

const DAY_MS = 86_400_000;

/** How many ticks fit; few days get one each, since nothing here happens by the hour. */
function ticksOf(spec: Spec, width: number): number | string {
  const fit = Math.max(3, Math.floor(width / 90));
  if (spec.x.kind !== "time") return fit;
  const times = spec.rows.map((row) => along(spec.x, row)).filter((one) => one instanceof Date);
  const span = Math.max(...times.map(Number)) - Math.min(...times.map(Number));
  return span < fit * DAY_MS ? "day" : fit;
}

/** The options of a plot of a given width. */
export function optionsOf(spec: Spec, width: number): PlotOptions {
  const left = leftOf(spec);
  const rows = new Set(spec.rows.map((row) => row[spec.y.key])).size;
  return {
    className: CLASS,
    width,
    height: spec.y.kind === "band" ? Math.max(rows, 1) * ROW_HEIGHT + 60 : HEIGHT,
    marginLeft: left,
    marginRight: 16,
    marginTop: 24,
    marginBottom: 40,
    x: { ...scale(spec.x, left), ticks: ticksOf(spec, width) as number },
    y: { ...scale(spec.y, left), ...(spec.y.kind === "number" ? { ticks: 5 } : {}) },
    marks: marksOf(spec),
  };
}

/** The SVG alone. Nobody reaches its links by the keyboard twice: the table has them too. */
function svgOf(spec: Spec, width: number): Element {
  const made = plot(optionsOf(spec, width));
  for (const style of made.querySelectorAll("style")) style.remove();
  for (const address of made.querySelectorAll("a")) address.setAttribute("tabindex", "-1");
  return made;
}

function sample(colour: string, dash: string): Element {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("width", "22");
  svg.setAttribute("height", "9");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", "M1 4.5h20");
  path.setAttribute("stroke", colour);
  path.setAttribute("stroke-width", "2");
  if (dash) path.setAttribute("stroke-dasharray", dash);
  svg.append(path);
  return svg;
}

function keyItem(words: string, colour: string, dash: string): Element {
  const item = document.createElement("span");
  item.className = "row xs t2";
  item.append(sample(colour, dash), words);
  return item;
}

/** The key: each series and each rule; nothing where there is but one series and no rule. */
function keyOf(spec: Spec): Element | null {
  const there = new Set(spec.rows.map((row) => row[spec.series]));
  const named = spec.names.length > 1 ? spec.names : [];
  const series = named.flatMap((name, at) =>
    there.has(name) ? [keyItem(name, lookOf(at).colour, spec.kind === "lines" ? lookOf(at).dash : "")] : [],
  );
  const rules = spec.rules
    .filter((rule) => rule.value !== null)
    .map((rule) => keyItem(rule.words, lookOfRule(rule).colour, lookOfRule(rule).dash));
  if (series.length + rules.length === 0) return null;
  const key = document.createElement("div");
  key.className = "row wrap plot-key";
  key.append(...series, ...rules);
  return key;
}

/** A whole drawing, ready to stand in its figure. */
export function draw(spec: Spec, width: number): HTMLElement {
  const box = document.createElement("div");
  box.dataset.drawn = String(width);
  // The figure has the words and the table: a screen reader is not led through hundreds of dots.
  box.setAttribute("aria-hidden", "true");
  const key = keyOf(spec);
  if (key) box.append(key);
  box.append(svgOf(spec, width));
  return box;
}
