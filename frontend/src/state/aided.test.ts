import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { WorkspaceData } from "../api/types";
import { press } from "../tools/keymap";
import { Aid, AidedSession, type AidPrediction } from "./aided";
import { Session } from "./session";
import { EMPTY_CONTENT } from "./store";
import { submitByHand, submitReading } from "./submit";

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

const WRITTEN = { ...EMPTY_CONTENT, answer: { choice: "A" } };

const data = (arm: string, isTraining: boolean): WorkspaceData => ({
  benchmark: { slug: "demo", title: "Demo", is_demo: true, demo_note: "", is_training: isTraining },
  protocol: { kind: "free", labels: [], step_kinds: ["free"], required: [] },
  user: { id: "u1", name: "Reader" },
  progress: { done: 3, total: 26 },
  next: {
    assignment: "a",
    lease_expires_at: "2026-11-22T14:43:00Z",
    case: {
      id: "c",
      key: "c",
      question: "?",
      options: { A: "yes" },
      history: "",
      task: "",
      question_box: null,
      images: [],
    },
    reading: { id: `r-${arm}`, arm, state: "draft", version: 0, revision: 0, saved_at: null, content: WRITTEN },
  },
  urls: { api: "/api/v1/", home: "/", login: "/login/" },
});

describe("where a submit leads", () => {
  const went = vi.fn();
  const replaced = vi.fn();
  let told: object | null;

  beforeEach(() => {
    told = { reading: "r-unaided", is_known: true, is_right: false, rois: [], steps: [], reason: "" };
    vi.stubGlobal("history", { replaceState: replaced });
  });

  async function submitted(session: Session): Promise<string[]> {
    const sent: string[] = [];
    went.mockClear();
    vi.stubGlobal("document", { cookie: "csrftoken=abc" });
    vi.stubGlobal("location", { assign: went });
    vi.stubGlobal("fetch", async (url: string) => {
      sent.push(url);
      if (url.endsWith("feedback/")) return Response.json(told);
      return Response.json(url.endsWith("next/") ? { case: null, reason: "done", until: null } : { revision: 1 });
    });
    await session.start();
    await submitReading(session);
    return sent;
  }

  it("is the next case, and the aided arm is offered", async () => {
    const session = new Session(data("unaided", false));
    expect((await submitted(session)).at(-1)).toContain("/next/");
    expect(went).not.toHaveBeenCalled();
    expect(session.toast.value?.also?.href).toBe("/read/demo/again/r-unaided/");
  });

  it("is what the gold says, in training, beside the reading that is changed no more; then the next case", async () => {
    const session = new Session(data("unaided", true));
    expect((await submitted(session)).at(-1)).toContain("/readings/r-unaided/feedback/");
    expect(went).not.toHaveBeenCalled();
    expect(session.feedback.value).toEqual(told);
    expect([session.canDraw, session.tools, session.tool.value]).toEqual([false, ["select", "window"], "select"]);
    expect(replaced).toHaveBeenLastCalledWith(null, "", "/read/demo/feedback/r-unaided/");
    expect(press(session, { stroke: "b", target: null })).toBe(false);
    // A second press at once was meant for the submit.
    await submitByHand(session);
    expect(session.feedback.value).toEqual(told);
    session.followedAt = 0;
    await submitByHand(session);
    expect(session.feedback.value).toBeNull();
    expect(session.nothing.value?.reason).toBe("done");
    expect(replaced).toHaveBeenLastCalledWith(null, "", "/read/demo/");
  });

  it("is the page of what the gold says where it does not come", async () => {
    told = null;
    await submitted(new Session(data("unaided", true)));
    expect(went).toHaveBeenCalledWith("/read/demo/feedback/r-unaided/");
  });

  it("is the case beside the models, after an aided reading", async () => {
    expect((await submitted(new AidedSession(data("aided", true)))).at(-1)).toContain("/submit/");
    expect(went).toHaveBeenCalledWith("/cases/c/");
  });
});
