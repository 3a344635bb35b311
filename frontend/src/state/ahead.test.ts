import "fake-indexeddb/auto";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { WorkspaceData } from "../api/types";
import { AHEAD_MS, lookAhead } from "./ahead";
import { Session } from "./session";
import { EMPTY_CONTENT } from "./store";

const data: WorkspaceData = {
  benchmark: { slug: "demo", title: "Demo", is_demo: false, demo_note: "" },
  protocol: { kind: "free", labels: [], step_kinds: ["free"], required: [] },
  user: { id: "u1", name: "Reader" },
  progress: { done: 0, total: 2 },
  next: {
    assignment: "as1",
    lease_expires_at: "2026-11-22T15:00:00Z",
    case: { id: "c", key: "k1", question: "", options: null, history: "", task: "", question_box: null, images: [] },
    reading: {
      id: "r",
      arm: "unaided",
      state: "draft",
      version: 0,
      revision: 0,
      saved_at: null,
      content: EMPTY_CONTENT,
    },
  },
  urls: { api: "/api/v1/", home: "/", login: "/login/" },
};

describe("the case that is assigned next", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it("is fetched once, frames that open only, after what is on the desk; a failure is silent", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const asked: string[] = [];
    const images = [1, 30, 1, 1, 1].map((frames, index) => ({ number: index + 1, sha256: `s${index}`, frames }));
    vi.stubGlobal("fetch", async (url: string) => {
      asked.push(url);
      return url.endsWith("/next/images/") ? Response.json({ images }) : new Response(null, { status: 503 });
    });
    const session = new Session(data);
    const stop = lookAhead(session);
    await vi.advanceTimersByTimeAsync(AHEAD_MS - 1);
    expect(asked).toEqual([]);
    await vi.advanceTimersByTimeAsync(10 * AHEAD_MS);
    const frame = (image: string, number: number): string => `/api/v1/images/${image}/frames/${number}/`;
    expect(asked[0]).toBe("/api/v1/benchmarks/demo/next/images/");
    expect(asked.slice(1)).toEqual([frame("s0", 0), frame("s1", 15), frame("s2", 0), frame("s3", 0)]);
    stop();
  });
});
