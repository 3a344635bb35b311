import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { hearTime } from "../api/clock";
import type { HandedOut, WorkspaceData } from "../api/types";
import { setAnswer } from "./edits";
import { beat, HEARTBEAT_MS, keepLease, leaseHeard } from "./lease";
import * as presence from "./presence";
import { Session } from "./session";
import { EMPTY_CONTENT } from "./store";

const NOW = Date.parse("2026-11-22T14:00:00Z");
const LEASE_MS = 45 * 60_000;
const LATER = new Date(NOW + 2 * LEASE_MS).toISOString();
const handed: HandedOut = {
  assignment: "as1",
  lease_expires_at: new Date(NOW + LEASE_MS).toISOString(),
  case: { id: "c", key: "k1", question: "", options: null, history: "", task: "", question_box: null, images: [] },
  reading: { id: "r", arm: "unaided", state: "draft", version: 0, revision: 0, saved_at: null, content: EMPTY_CONTENT },
};
const data: WorkspaceData = {
  benchmark: { slug: "demo", title: "Demo", is_demo: false, demo_note: "" },
  protocol: { kind: "free", labels: [], step_kinds: ["free"], required: [] },
  user: { id: "u1", name: "Reader" },
  progress: { done: 0, total: 2 },
  next: handed,
  urls: { api: "/api/v1/", home: "/", login: "/login/" },
};
const ENDED = [409, { type: "/problems/lease-ended" }] as const;
const FULL = [409, { type: "/problems/overlap-reached" }] as const;
const HELD = [200, { lease_expires_at: LATER }] as const;
const SAVED = [200, { version: 1, saved_at: "2026-11-22T14:00:01Z" }] as const;

type Answers = Record<string, readonly [number, unknown]>;

/** Answers by the last part of the address; returns the parts that were asked for. */
function server(answers: Answers): string[] {
  const asked: string[] = [];
  vi.stubGlobal("document", { cookie: "" });
  vi.stubGlobal("fetch", async (url: string) => {
    const end = url.split("/").at(-2) ?? "";
    asked.push(end);
    const [status, body] = answers[end] ?? [500, {}];
    return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
  });
  return asked;
}

async function opened(): Promise<Session> {
  const session = new Session(data);
  await session.start();
  return session;
}

describe("the lease", () => {
  let stop = (): void => undefined;

  beforeEach(() => {
    vi.unstubAllGlobals();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] });
    hearTime(NOW, performance.now(), performance.now());
  });

  afterEach(() => {
    stop();
    stop = () => undefined;
    vi.useRealTimers();
  });

  it.each([-3, 3])("does not run out because the computer's clock is %i hours off", async (hours) => {
    vi.spyOn(Date, "now").mockReturnValue(NOW + hours * 3_600_000);
    vi.spyOn(presence, "isAnybodyHere").mockReturnValue(false);
    server({});
    const session = await opened();
    stop = keepLease(session);
    await vi.advanceTimersByTimeAsync(LEASE_MS - 1000);
    expect(session.standing.value).toBe("held");
    await vi.advanceTimersByTimeAsync(2000);
    expect(session.standing.value).toBe("out");
  });

  it("is prolonged while somebody is there, and not for an empty chair", async () => {
    const asked = server({ heartbeat: HELD });
    const session = await opened();
    stop = keepLease(session);
    const here = vi.spyOn(presence, "isAnybodyHere").mockReturnValue(true);
    await vi.advanceTimersByTimeAsync(HEARTBEAT_MS);
    expect([asked, session.leaseUntil.value]).toEqual([["heartbeat"], LATER]);
    here.mockReturnValue(false);
    await vi.advanceTimersByTimeAsync(3 * HEARTBEAT_MS);
    expect(asked).toEqual(["heartbeat"]);
  });

  it("ends in words when a curator takes it back, and the draft stays on the page", async () => {
    server({ heartbeat: ENDED, r: [200, { state: "draft" }] });
    const session = await opened();
    session.store.change((content) => setAnswer(content, { text: "mine" }));
    leaseHeard(session, { type: "assignment.taken_back", assignment: "another" });
    expect(session.standing.value).toBe("held");
    leaseHeard(session, { type: "assignment.taken_back", assignment: "as1" });
    await vi.advanceTimersByTimeAsync(10);
    expect(session.standing.value).toBe("taken");
    expect(session.store.content.value.answer).toEqual({ text: "mine" });
  });

  it.each([
    [HELD, "held"],
    [FULL, "surplus"],
  ] as const)("taken back, is looked for again after the next save: %j", async (after, standing) => {
    const answers: Answers = { heartbeat: ENDED, r: [200, { state: "draft" }], draft: SAVED };
    server(answers);
    const session = await opened();
    stop = keepLease(session);
    leaseHeard(session, { type: "assignment.taken_back", assignment: "as1" });
    await vi.advanceTimersByTimeAsync(10);
    answers.heartbeat = after;
    session.store.change((content) => setAnswer(content, { text: "more" }));
    await session.autosave.value?.flush();
    await vi.advanceTimersByTimeAsync(10);
    expect(session.standing.value).toBe(standing);
    expect(session.toast.value?.text ?? "").toContain(standing === "held" ? "yours again" : "");
  });

  it("says surplus where a save found no place after a curator took the case", async () => {
    server({ heartbeat: ENDED, r: [200, { state: "surplus" }] });
    const session = await opened();
    await beat(session);
    expect(session.standing.value).toBe("surplus");
  });

  it.each([
    [ENDED, { state: "draft" }, "ended"],
    [ENDED, { state: "submitted" }, "held"],
    [[503, {}] as const, {}, "held"],
  ] as const)("after a beat answered %j with the reading %j is %s", async (answer, reading, standing) => {
    server({ heartbeat: answer, r: [200, reading] });
    const session = await opened();
    await beat(session);
    expect(session.standing.value).toBe(standing);
  });
});
