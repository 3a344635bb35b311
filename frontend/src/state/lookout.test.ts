import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { hearTime } from "../api/clock";
import type { NothingLeft, WorkspaceData } from "../api/types";
import { askAgainIn, LATEST_MS, lookOut, SOONEST_MS } from "./lookout";
import * as presence from "./presence";
import { Session } from "./session";
import { EMPTY_CONTENT } from "./store";

const NOW = Date.parse("2026-11-22T14:00:00Z");
const data: WorkspaceData = {
  benchmark: { slug: "demo", title: "Demo", is_demo: false, demo_note: "" },
  protocol: { kind: "free", labels: [], step_kinds: ["free"], required: [] },
  user: { id: "u1", name: "Reader" },
  progress: { done: 0, total: 2 },
  next: null,
  urls: { api: "/api/v1/", home: "/", login: "/login/" },
};
const CASE = {
  assignment: "as1",
  lease_expires_at: "2026-11-22T15:00:00Z",
  case: { id: "c", key: "k1", question: "", options: null, history: "", task: "", question_box: null, images: [] },
  reading: { id: "r", arm: "unaided", state: "draft", version: 0, revision: 0, saved_at: null, content: EMPTY_CONTENT },
};

function leased(seconds: number): NothingLeft {
  return { case: null, reason: "leased", until: new Date(NOW + seconds * 1000).toISOString() };
}

describe("where there is no case, the page", () => {
  let answer: { status: number; body: unknown };
  let asked: number;
  let stop: () => void;
  let session: Session;
  let lookout: ReturnType<typeof lookOut>;
  const page = { cookie: "", visibilityState: "visible" };

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    hearTime(NOW, performance.now(), performance.now());
    vi.spyOn(Math, "random").mockReturnValue(0);
    vi.spyOn(presence, "isAnybodyHere").mockReturnValue(true);
    asked = 0;
    page.visibilityState = "visible";
    vi.stubGlobal("document", page);
    vi.stubGlobal("fetch", async () => {
      asked += 1;
      return new Response(JSON.stringify(answer.body), { status: answer.status });
    });
    answer = { status: 200, body: leased(20) };
    session = new Session(data);
    await session.start();
    lookout = lookOut(session);
    stop = lookout.stop;
  });

  afterEach(() => {
    stop();
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it("asks again when the first lease of others ends by the server's time, and shows what came", async () => {
    vi.spyOn(Date, "now").mockReturnValue(NOW + 3 * 3_600_000);
    await vi.advanceTimersByTimeAsync(19_000);
    expect(asked).toBe(1);
    answer = { status: 200, body: CASE };
    await vi.advanceTimersByTimeAsync(2000);
    expect(asked).toBe(2);
    expect(session.handed.value?.case.key).toBe("k1");
    // The browser's storage, which is asked for an unsent draft, keeps real time.
    for (let i = 0; i < 20; i += 1) await new Promise((done) => setImmediate(done));
    expect(session.toast.value?.text).toBe("Case k1 came free");
    await vi.advanceTimersByTimeAsync(5 * LATEST_MS);
    expect(asked).toBe(2);
  });

  it("asks once a minute where nobody says until when, also while the server fails", async () => {
    answer = { status: 503, body: {} };
    await vi.advanceTimersByTimeAsync(20_000);
    expect(session.loadFailure.value?.status).toBe(503);
    await vi.advanceTimersByTimeAsync(2 * LATEST_MS);
    expect(asked).toBe(4);
    expect(session.nothing.value?.reason).toBe("leased");
  });

  it.each(["hidden", "away"])("takes no case while it is %s, and goes on at the first sign of life", async (how) => {
    if (how === "hidden") page.visibilityState = "hidden";
    else vi.spyOn(presence, "isAnybodyHere").mockReturnValue(false);
    await vi.advanceTimersByTimeAsync(10 * LATEST_MS);
    expect([asked, session.isLooking.value]).toEqual([1, false]);
    answer = { status: 200, body: leased(3600) };
    page.visibilityState = "visible";
    vi.spyOn(presence, "isAnybodyHere").mockReturnValue(true);
    lookout.back();
    await vi.advanceTimersByTimeAsync(SOONEST_MS);
    expect([asked, session.isLooking.value]).toEqual([2, true]);
  });

  it("asks soon after it hears of the queue, never faster than its pace", async () => {
    answer = { status: 200, body: leased(3600) };
    for (let i = 0; i < 50; i += 1) {
      lookout.heard({ type: "queue.changed" });
      await vi.advanceTimersByTimeAsync(200);
    }
    expect(asked).toBeGreaterThan(1);
    expect(asked).toBeLessThanOrEqual(1 + 1 + Math.ceil(10_000 / SOONEST_MS));
    lookout.heard({ type: "score.changed" });
  });
});

describe("the pace", () => {
  it.each([
    [leased(-100), SOONEST_MS],
    [leased(30), 30_000],
    [leased(3600), LATEST_MS],
    [{ case: null, reason: "done", until: null } as const, LATEST_MS],
    [null, LATEST_MS],
  ])("after %j is %i ms", (nothing, delay) => {
    vi.spyOn(performance, "now").mockReturnValue(0);
    hearTime(NOW, 0, 0);
    expect(askAgainIn(nothing, 0)).toBe(delay);
    expect(askAgainIn(nothing, 1)).toBeGreaterThan(delay);
  });
});
