import { afterEach, describe, expect, it, vi } from "vitest";
import type { Scores } from "./data";
import {
  caseData,
  chosenPlace,
  chosenReading,
  heat,
  loadHeat,
  ofCase,
  reading,
  scores,
  targets,
  verdict,
} from "./state";

const roi = { id: "r", image: 1, frame: 0, label: null, shape: "box", geometry: { x0: 0, y0: 0, x1: 1, y1: 1 } };
const none = { centre: null, moved: null, other_finding: null };
const stands = {
  prediction: "p",
  is_right: true,
  is_grounded: false,
  why_unknown: null,
  layer: 0,
  rows: 1,
  nulls: none,
};

function given(): Scores {
  return {
    case: "c",
    is_blind: false,
    predictions: [
      { id: "p", state: "done", model: { name: "m", layers: 1, headline_layer: 0 }, maps: [{ image: 1, frame: 3 }] },
    ],
    readings: [{ id: "a", reader: "rosa", revision: 1, answer: { choice: "B" }, rois: [roi] }],
    gold: { revision: 2, answer: "A", rois: [roi] },
    verdicts: [
      { ...stands, target: { kind: "case", id: "c" } },
      { ...stands, target: { kind: "gold", id: "c" }, value: 1 },
      { ...stands, target: { kind: "reading", id: "a" }, value: 2 },
    ],
    results: [],
    disagreement: [],
  } as unknown as Scores;
}

afterEach(() => {
  vi.unstubAllGlobals();
  chosenReading.value = null;
  chosenPlace.value = null;
  heat.value = null;
});

describe("what the model is held against", () => {
  it("is each reading and the gold, each with its own verdict", () => {
    scores.value = given();
    expect(targets.value.map((row) => row.reader)).toEqual(["rosa", "Gold"]);
    expect(verdict.value?.value).toBe(2);
    chosenReading.value = "c";
    expect(reading.value?.answer).toEqual({ choice: "A" });
    expect(verdict.value?.value).toBe(1);
    expect(ofCase.value?.target.kind).toBe("case");
  });

  it("has no gold for who may not see it", () => {
    scores.value = { ...given(), gold: null, verdicts: [] };
    expect(targets.value.map((row) => row.reader)).toEqual(["rosa"]);
    expect(ofCase.value).toBeNull();
  });
});

describe("the map", () => {
  it("is asked for only where the model was shown the frame", async () => {
    const asked: string[] = [];
    vi.stubGlobal("fetch", async (address: string) => {
      asked.push(`${address}`);
      const sent = { rows: 1, columns: 2, values: [1, 3], layer: 0, map: "relative", transform: {} };
      return new Response(JSON.stringify(sent), { headers: { "Content-Type": "application/json" } });
    });
    caseData.value = null;
    scores.value = given();
    chosenPlace.value = { image: 1, frame: 0 };
    await loadHeat();
    expect(asked).toEqual([]);
    expect(heat.value).toBeNull();
    chosenPlace.value = { image: 1, frame: 3 };
    await loadHeat();
    expect(asked).toHaveLength(1);
    expect(heat.value).toMatchObject({ values: [[1, 3]] });
  });
});
