import "fake-indexeddb/auto";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { HandedOut, WorkspaceData } from "../api/types";
import { setAnswer } from "./edits";
import { readingQueue, unsentDrafts } from "./queue";
import { Session } from "./session";
import { EMPTY_CONTENT } from "./store";
import { submitByHand, submitReading } from "./submit";

const handed = (id: string): HandedOut => ({
  assignment: `assignment-${id}`,
  lease_expires_at: "2026-11-22T14:43:00Z",
  case: {
    id: `case-${id}`,
    key: id,
    question: "?",
    options: { A: "yes" },
    history: "",
    task: "",
    question_box: null,
    images: [],
  },
  reading: { id, arm: "unaided", state: "draft", version: 0, revision: 0, saved_at: null, content: EMPTY_CONTENT },
});

const data = (id: string, required: string[] = []): WorkspaceData => ({
  benchmark: { slug: "demo", title: "Demo", is_demo: true, demo_note: "" },
  protocol: { kind: "free", labels: [], step_kinds: ["free"], required },
  user: { id: "u1", name: "Reader" },
  progress: { done: 3, total: 26 },
  next: handed(id),
  urls: { api: "/api/v1/", home: "/", login: "/login/" },
});

const WRITTEN = { ...EMPTY_CONTENT, answer: { choice: "A" } };

/** Handed out with a draft that has an answer. */
const begun = (id: string): HandedOut => {
  const next = handed(id);
  return { ...next, reading: { ...next.reading, content: WRITTEN } };
};

interface Sent {
  url: string;
  method: string;
  key: string | null;
}

/** Answers calls by the end of their address; a number is a bare status. */
function server(answers: Record<string, (unknown | number)[]>): Sent[] {
  const sent: Sent[] = [];
  vi.stubGlobal("document", { cookie: "csrftoken=abc" });
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    const headers = new Headers(init.headers);
    sent.push({ url, method: init.method ?? "GET", key: headers.get("Idempotency-Key") });
    const name = Object.keys(answers).find((end) => url.endsWith(end)) ?? "";
    const answer = answers[name]?.shift() ?? 500;
    const status = typeof answer === "number" ? answer : ((answer as { status?: number }).status ?? 200);
    return new Response(JSON.stringify(answer), { status, headers: { "Content-Type": "application/json" } });
  });
  return sent;
}

describe("submitting", () => {
  beforeEach(() => vi.unstubAllGlobals());

  it("uses the same key for a second try after a lost answer, and another one for the next reading", async () => {
    const sent = server({
      "draft/": [{ version: 1, saved_at: "2026-11-22T14:02:00Z" }],
      "submit/": [502, { revision: 1 }, { revision: 1 }],
      "next/": [begun("r2"), { case: null, reason: "done", until: null }],
    });
    const session = new Session(data("r1"));
    await session.start();
    session.store.change((content) => setAnswer(content, { choice: "A" }));
    await submitReading(session);
    expect(session.notice.value).toContain("counted once");
    expect(session.handed.value?.reading.id).toBe("r1");
    await submitReading(session);
    expect(session.toast.value?.link?.href).toBe("/cases/case-r1/");
    expect(session.handed.value?.reading.id).toBe("r2");
    expect(session.store.content.value).toEqual(WRITTEN);
    await submitReading(session);
    const keys = sent.filter((one) => one.url.endsWith("submit/")).map((one) => one.key);
    expect(keys[0]).toBe(keys[1]);
    expect(keys[2]).not.toBe(keys[1]);
    expect(session.nothing.value?.reason).toBe("done");
    expect(session.done.value).toBe(5);
    expect(await readingQueue("u1", "r1").pendingSubmit()).toBeUndefined();
  });

  it("sends nothing while something required is missing", async () => {
    const sent = server({});
    const session = new Session(data("r3", ["answer"]));
    await session.start();
    await submitReading(session);
    expect(session.errors.value.map((error) => error.path)).toEqual(["answer"]);
    expect(sent).toEqual([]);
  });

  it("takes a second press right after a submit for the case before, and later sends no empty reading", async () => {
    const sent = server({ "submit/": [{ revision: 1 }], "next/": [begun("r7")] });
    const session = new Session({ ...data("r6"), next: begun("r6") });
    await session.start();
    await submitByHand(session);
    expect(session.handed.value?.reading.id).toBe("r7");
    await submitByHand(session);
    session.followedAt = 0;
    session.store.load(EMPTY_CONTENT, "REMOTE");
    await submitByHand(session);
    expect(sent.filter((one) => one.url.endsWith("submit/")).map((one) => one.url)).toEqual([
      "/api/v1/readings/r6/submit/",
    ]);
    expect(session.errors.value).toEqual([{ path: "answer", detail: "nothing is written yet" }]);
  });

  it("says that a reading without a place is kept as surplus", async () => {
    server({ "submit/": [{ status: 409, type: "/problems/overlap-reached" }] });
    const session = new Session({ ...data("r4"), next: begun("r4") });
    await session.start();
    await submitReading(session);
    expect(session.standing.value).toBe("surplus");
    expect(session.handed.value?.reading.id).toBe("r4");
  });

  it("shows both versions when the server holds another one", async () => {
    const theirs = { ...EMPTY_CONTENT, confidence: 0.5 };
    server({ "submit/": [{ status: 409, type: "/problems/stale-draft", theirs, version: 8 }] });
    const session = new Session({ ...data("r5"), next: begun("r5") });
    await session.start();
    await submitReading(session);
    expect(session.dialog.value).toBe("versions");
    expect(session.autosave.value?.state.value).toMatchObject({ kind: "conflict", theirs, version: 8 });
  });
});

describe("what is kept on this computer", () => {
  it("is told apart by user and by reading", async () => {
    const unsent = { content: EMPTY_CONTENT, version: 1, changes: 2, at: "2026-11-22T14:00:00Z" };
    await readingQueue("u1", "r9").keepUnsent(unsent);
    expect(await readingQueue("u2", "r9").unsent()).toBeUndefined();
    expect(await readingQueue("u1", "r8").unsent()).toBeUndefined();
    expect(await readingQueue("u1", "r9").unsent()).toEqual(unsent);
    expect(await unsentDrafts()).toBe(1);
    await readingQueue("u1", "r9").dropUnsent();
    expect(await unsentDrafts()).toBe(0);
  });
});
