import "fake-indexeddb/auto";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { HandedOut, WorkspaceData } from "../api/types";
import { setAnswer } from "./edits";
import { giveBack, skipCase } from "./leave";
import { Session } from "./session";
import { EMPTY_CONTENT } from "./store";

const handed: HandedOut = {
  assignment: "as1",
  lease_expires_at: "2026-11-22T14:43:00Z",
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
const NOTHING = { case: null, reason: "done", until: null };

function server(answer: (end: string) => [number, unknown]): [string, unknown][] {
  const sent: [string, unknown][] = [];
  vi.stubGlobal("document", { cookie: "" });
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    const end = url.split("/").at(-2) ?? "";
    sent.push([end, init.body ? JSON.parse(String(init.body)) : null]);
    const [status, body] = answer(end);
    return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
  });
  return sent;
}

describe("leaving a case", () => {
  beforeEach(() => vi.unstubAllGlobals());

  it("saves what is unsaved, says why, and asks for the next one", async () => {
    const sent = server((end) => [200, end === "next" ? NOTHING : { version: 1, saved_at: null }]);
    const session = new Session(data);
    await session.start();
    session.store.change((content) => setAnswer(content, { text: "x" }));
    expect(await skipCase(session, "not my field")).toBeNull();
    expect(sent.map(([end]) => end)).toEqual(["draft", "skip", "next"]);
    expect(sent[1]?.[1]).toEqual({ reason: "not my field" });
    expect(session.toast.value?.text).toBe("Case k1 skipped");
    expect(session.nothing.value?.reason).toBe("done");
  });

  it("stays where the draft cannot be saved, or the server says no", async () => {
    const session = new Session(data);
    let sent = server(() => [503, {}]);
    await session.start();
    session.store.change((content) => setAnswer(content, { text: "x" }));
    expect(await giveBack(session)).toContain("kept on this computer");
    expect(sent.map(([end]) => end)).toEqual(["draft"]);
    sent = server((end) =>
      end === "draft" ? [200, { version: 1, saved_at: null }] : [409, { detail: "the assignment was submitted" }],
    );
    expect(await giveBack(session)).toBe("the assignment was submitted");
    expect(session.handed.value?.assignment).toBe("as1");
    session.autosave.value?.stop();
  });
});
