// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from "vitest";
import { CLASS, draw } from "./draw";
import { redraw } from "./mount";
import { type Spec, specOf } from "./spec";

const AXIS = { words: "", least: null, most: null } as const;
const SPEC: Spec = {
  kind: "lines",
  x: { ...AXIS, key: "day", kind: "time" },
  y: { ...AXIS, key: "value", kind: "number", words: "alpha", least: 0, most: 1 },
  series: "who",
  names: ["readers", "models"],
  low: "low",
  high: "high",
  href: "href",
  title: "words",
  rules: [{ axis: "y", value: 0.8, words: "experts among themselves", tone: "ceiling" }],
  rows: [
    { day: "2026-11-20", value: 0.5, low: 0.4, high: 0.6, who: "readers", href: "/pairs/", words: "0.50" },
    { day: "2026-11-21", value: 0.6, low: 0.5, high: 0.7, who: "readers", href: "/pairs/", words: "0.60" },
    { day: "2026-11-20", value: 0.2, low: null, high: null, who: "models", href: "/pairs/", words: "0.20" },
    { day: "2026-11-21", value: null, low: null, high: null, who: "models", href: "/pairs/", words: "undefined" },
  ],
};

const svg = (box: Element): Element => box.querySelector(`svg.${CLASS}`) as Element;
const dots = (box: Element): number =>
  svg(box).querySelectorAll("g[aria-label='dot'] path, g[aria-label='dot'] circle").length;

describe("a drawing", () => {
  it("brings no style of its own, which the policy of the pages would refuse", () => {
    const box = draw(SPEC, 400);
    expect(box.querySelectorAll("style")).toHaveLength(0);
    expect(box.outerHTML).not.toContain("style=");
  });

  it("has a dot for every value, and none where there is no value", () => {
    expect(dots(draw(SPEC, 400))).toBe(3);
  });

  it("names its series and what they are held against", () => {
    const key = draw(SPEC, 400).querySelector(".plot-key");
    expect(key?.textContent).toBe("readersmodelsexperts among themselves");
  });

  it("leads with its marks to what they count, and not by the keyboard: the table does that", () => {
    const links = [...draw(SPEC, 400).querySelectorAll("a")];
    expect(links).toHaveLength(3);
    expect(links.every((one) => one.getAttribute("tabindex") === "-1")).toBe(true);
  });

  it("takes its colours from the theme", () => {
    const colours = [...svg(draw(SPEC, 400)).querySelectorAll("[stroke],[fill]")].flatMap((one) => [
      one.getAttribute("stroke"),
      one.getAttribute("fill"),
    ]);
    const ours = colours.filter((one) => one?.startsWith("var(--"));
    expect(ours.length).toBeGreaterThan(4);
    expect(colours.filter((one) => /^(#|rgb|hsl)/.test(one ?? ""))).toEqual([]);
  });

  it("says so where nothing has a value", () => {
    const box = draw({ ...SPEC, rows: [{ ...SPEC.rows[3] } as Spec["rows"][number]] }, 400);
    expect(box.textContent).toContain("nothing to draw yet");
  });

  it.each(["bars", "points", "intervals"] as const)("can be %s", (kind) => {
    const y = kind === "intervals" ? ({ ...AXIS, key: "who", kind: "band" } as const) : SPEC.y;
    const x = kind === "bars" ? SPEC.x : ({ ...AXIS, key: "value", kind: "number" } as const);
    const rows = SPEC.rows.slice(0, 3);
    expect(svg(draw({ ...SPEC, kind, x, y, rows }, 400)).querySelectorAll("path, circle, rect").length).toBeGreaterThan(
      2,
    );
  });
});

describe("a figure", () => {
  beforeEach(() => {
    document.body.innerHTML = `<figure data-plot="lines"><script type="application/json">${JSON.stringify(SPEC)}</script><details></details></figure>`;
    Object.defineProperty(HTMLElement.prototype, "clientWidth", { configurable: true, get: () => 500 });
  });

  it("is drawn from its own JSON, once a width", () => {
    const figure = document.querySelector("figure") as HTMLElement;
    expect(specOf(figure)?.names).toEqual(["readers", "models"]);
    redraw(figure);
    const first = figure.querySelector("[data-drawn]");
    redraw(figure);
    expect(figure.querySelectorAll("[data-drawn]")).toHaveLength(1);
    expect(figure.querySelector("[data-drawn]")).toBe(first);
    expect(figure.querySelector("details")).not.toBeNull();
  });

  it("waits while it has no width", () => {
    Object.defineProperty(HTMLElement.prototype, "clientWidth", { configurable: true, get: () => 0 });
    const figure = document.querySelector("figure") as HTMLElement;
    redraw(figure);
    expect(figure.querySelector("[data-drawn]")).toBeNull();
  });
});
