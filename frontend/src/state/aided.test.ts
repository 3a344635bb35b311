import { afterEach, describe, expect, it, vi } from "vitest";
import { Aid, type AidPrediction } from "./aided";

function prediction(id: string, maps: { image: number; frame: number }[]): AidPrediction {
  return {
    id,
    model: { name: id, family: "planted", is_trained: true, note: "", layers: 4, headline_layer: 2 },
    state: "done",
    error: "",
    choice: "A",
    option_probabilities: { A: 0.7, B: 0.3 },
    text: "",
    maps,
    is_stale: false,
    stale_because: null,
    steps: [],
  };
}

const HEAT = { rows: 1, columns: 2, values: [1, 3], layer: 2, map: "relative", transform: {} };

function answering(...bodies: unknown[]) {
  const asked = vi.fn(async (_url: string) => Response.json(bodies.length > 1 ? bodies.shift() : bodies[0]));
  vi.stubGlobal("fetch", asked);
  return asked;
}

afterEach(() => vi.unstubAllGlobals());

describe("what models say beside an aided reading", () => {
  it("comes from its own address, and the first model is chosen", async () => {
    const asked = answering({ predictions: [prediction("anna", []), prediction("bert", [])] });
    const aid = new Aid("/api/v1/readings/r/aid/");
    expect(aid.prediction.value).toBe(null);
    await aid.load();
    expect(asked.mock.calls[0]?.[0]).toBe("/api/v1/readings/r/aid/");
    expect(aid.prediction.value?.id).toBe("anna");
    aid.chosen.value = 1;
    expect(aid.prediction.value?.id).toBe("bert");
  });

  it("says that it did not arrive, and comes with the next try", async () => {
    vi.stubGlobal("fetch", async () => new Response("", { status: 503 }));
    const aid = new Aid("/aid/");
    await aid.load();
    expect(aid.failure.value).toContain("503");
    expect(aid.predictions.value).toBe(null);
    answering({ predictions: [] });
    await aid.load();
    expect([aid.failure.value, aid.predictions.value]).toEqual([null, []]);
  });

  it("fetches a map once, at the headline layer, and none for a frame that the model was not shown", async () => {
    const asked = answering({ predictions: [prediction("anna", [{ image: 1, frame: 0 }])] }, HEAT);
    const aid = new Aid("/aid/");
    await aid.load();
    expect([aid.hasMap(1, 0), aid.hasMap(2, 0)]).toEqual([true, false]);
    expect(aid.map(2, 0).value).toBe(null);
    const map = aid.map(1, 0);
    expect(aid.map(1, 0)).toBe(map);
    await vi.waitFor(() => expect(map.value?.values).toEqual([[1, 3]]));
    expect(asked).toHaveBeenCalledTimes(2);
    expect(asked.mock.calls[1]?.[0]).toContain("/predictions/anna/heatmap/?image=1&frame=0&layer=2&map=relative");
  });
});
