import { describe, expect, it } from "vitest";
import type { Roi, Step } from "../api/types";
import type { Consensus, Draft, ReadingSaid } from "./data";
import {
  actionOf,
  addRoi,
  changeRoi,
  changeStep,
  moveStep,
  NOTHING,
  outlineRoi,
  removeRoi,
  removeStep,
  saysSomething,
  takeAnswer,
  takeConsensus,
  takeReading,
  takeRoi,
  takeStep,
} from "./merge";

const EMPTY: Draft = { action: "", content: NOTHING, sources: [], reason: "" };

function roi(id: string): Roi {
  const geometry = { x0: 0, y0: 0, x1: 4, y1: 4 };
  return { id, image: 1, frame: 0, label: null, origin: "manual", shape: "box", geometry };
}

function step(id: string, evidence: string[] = []): Step {
  const none = { regions: [], is_critical: null, confidence: null, topic: null, state: null };
  return { id, kind: "free", image: 1, text: `says ${id}`, evidence, ...none };
}

function said(reading: string, rois: Roi[], steps: Step[], choice: string | null = "A"): ReadingSaid {
  const content = { answer: choice ? { choice } : null, confidence: 0.5, rois, steps, entities: [] };
  const rest = { reader: "R1", name: null, number: 1, arm: "unaided" as const, submitted_at: "" };
  return { reading, revision: 1, counted_revision: 1, is_of_this_input: true, content, ...rest };
}

const first = said("one", [roi("a"), roi("b")], [step("s", ["a"]), step("t")]);
const second = said("two", [roi("c")], [step("u", ["c"])], "B");
const [s, t] = first.content.steps as [Step, Step];
const [u] = second.content.steps as [Step];

describe("taking", () => {
  it("brings with a step the regions it rests on", () => {
    const done = takeStep(EMPTY, s, first, first.content.rois);
    expect(done.content.rois.map((one) => one.id)).toEqual(["a"]);
    expect(done.sources).toEqual([{ reading: "one", revision: 1, answer: false, rois: ["a"], steps: ["s"] }]);
  });

  it("takes a part once", () => {
    const once = takeRoi(EMPTY, roi("a"), first);
    expect(takeRoi(once, roi("a"), first)).toBe(once);
    const stepped = takeStep(once, t, first, []);
    expect(takeStep(stepped, t, first, [])).toBe(stepped);
  });

  it("names the one whose answer it is", () => {
    const mixed = takeAnswer(takeAnswer(EMPTY, { choice: "A" }, first), { choice: "B" }, second);
    expect(mixed.content.answer).toEqual({ choice: "B" });
    expect(mixed.sources.map((one) => [one.reading, one.answer])).toEqual([["two", true]]);
    expect(takeAnswer(mixed, null, null).sources).toEqual([]);
  });

  it("takes a whole reading instead of what there was", () => {
    const done = takeReading(takeRoi(EMPTY, roi("c"), second), first);
    expect(done.sources.map((one) => one.reading)).toEqual(["one"]);
    expect(actionOf(done, [first, second])).toBe("pick");
  });
});

describe("changing", () => {
  const whole = takeReading(EMPTY, first);

  it("keeps evidence valid when a region goes, and forgets who gave it", () => {
    const done = removeRoi(whole, "a");
    expect(done.content.steps[0]?.evidence).toEqual([]);
    expect(done.sources[0]?.rois).toEqual(["b"]);
  });

  it("forgets a source of which nothing is left", () => {
    const both = takeStep(whole, u, second, second.content.rois);
    expect(both.sources).toHaveLength(2);
    expect(removeRoi(removeStep(both, "u"), "c").sources).toHaveLength(1);
  });

  it("moves and edits steps", () => {
    expect(moveStep(whole, "t", -1).content.steps.map((one) => one.id)).toEqual(["t", "s"]);
    expect(moveStep(whole, "s", -1)).toBe(whole);
    expect(changeStep(whole, "s", { text: "new" }).content.steps[0]?.text).toBe("new");
    expect(whole.content.steps[0]?.text).toBe("says s");
  });
});

describe("regions by hand", () => {
  const whole = takeReading(EMPTY, first);
  const wider = (one: Roi): Roi => ({ ...one, shape: "box", geometry: { x0: 0, y0: 0, x1: 9, y1: 4 } });

  it("keep who drew them, and say that they were edited", () => {
    const done = changeRoi(whole, "a", wider);
    expect(done.content.rois[0]).toMatchObject({ id: "a", origin: "edited", geometry: { x1: 9 } });
    expect(done.sources).toEqual(whole.sources);
    expect(actionOf(done, [first, second])).toBe("edit");
    expect(actionOf(changeRoi(takeRoi(whole, roi("c"), second), "c", wider), [first, second])).toBe("merge");
  });

  it("stay the reviewer's own where nobody else drew them", () => {
    const drawn = addRoi(whole, roi("mine"));
    expect(drawn.sources).toEqual(whole.sources);
    expect(changeRoi(drawn, "mine", wider).content.rois.at(-1)?.origin).toBe("manual");
  });

  it("are the same draft where nothing changed", () => {
    expect(changeRoi(whole, "a", (one) => one)).toBe(whole);
    expect(changeRoi(whole, "none", wider)).toBe(whole);
  });

  it("become polygons of a mask, and what rested on it rests on each piece", () => {
    const geometry = { size: [3, 5] as [number, number], counts: [0, 6, 6, 1, 2] };
    const mask = { ...roi("m"), origin: "proposed", shape: "mask", geometry } as Roi;
    const resting = { ...addRoi(EMPTY, mask), sources: [] };
    const draft = { ...resting, content: { ...resting.content, steps: [step("x", ["m"])] } };
    const done = outlineRoi(draft, "m", () => "piece");
    expect(done.content.rois.map(({ id, shape, origin }) => [id, shape, origin])).toEqual([
      ["m", "polygon", "edited"],
      ["piece", "polygon", "edited"],
    ]);
    expect(done.content.steps[0]?.evidence).toEqual(["m", "piece"]);
    expect(outlineRoi(done, "m", () => "again")).toBe(done);
  });
});

describe("how it came about", () => {
  it("says pick, edit and merge", () => {
    const whole = takeReading(EMPTY, first);
    const readings = [first, second];
    expect(actionOf(changeStep(whole, "s", { text: "other" }), readings)).toBe("edit");
    expect(actionOf(takeRoi(whole, roi("c"), second), readings)).toBe("merge");
    expect(actionOf(EMPTY, readings)).toBe("edit");
  });

  it("makes the consensus of the majority's answer and regions", () => {
    const geometry = { size: [4, 4] as [number, number], counts: "0" };
    const place = { image: 1, frame: 0, label: "x", drawn_by: [0], readers: 2, area_px: 1, majority: geometry };
    const none = { window: null, staple: null, difference: null };
    const found: Consensus = {
      readings: [first, second],
      counted: [0, 1],
      answers: {
        ...{ n: 2, votes: {}, shares: {}, majority: null, is_tie: true, vote_entropy_bits: 1 },
        dawid_skene: { posterior: {}, best: "B", entropy_bits: 0.9, most_entropy_bits: 1, ratings: 2, cases: 1 },
      },
      regions: [
        { ...place, ...none, roi: { shape: "mask", geometry } },
        { ...place, ...none, roi: null },
      ],
      uncounted_rois: 0,
      steps: [],
      gold: null,
    };
    const done = takeConsensus(EMPTY, found, () => "new");
    expect(done.content.answer).toEqual({ choice: "B" });
    expect(done.content.rois.map((one) => [one.id, one.label, one.shape])).toEqual([["new", "x", "mask"]]);
    expect(done.sources).toHaveLength(2);
    expect(done.action).toBe("consensus");
    expect(saysSomething(done.content)).toBe(true);
    expect(saysSomething(NOTHING)).toBe(false);
  });
});
