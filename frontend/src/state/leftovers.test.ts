import "fake-indexeddb/auto";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { sendLeftovers } from "./leftovers";
import { readingQueue, unsentDrafts, unsentOf } from "./queue";
import { EMPTY_CONTENT } from "./store";

const draft = { content: EMPTY_CONTENT, version: 4, changes: 1, at: "2026-11-22T14:00:00Z" };

/** Answers each draft's address with a status; returns what was asked for. */
function server(answers: Record<string, [number, string?]>): string[] {
  const asked: string[] = [];
  vi.stubGlobal("document", { cookie: "" });
  vi.stubGlobal("fetch", async (url: string) => {
    const reading = url.split("/").at(-3) ?? "";
    asked.push(reading);
    const [status, type = ""] = answers[reading] ?? [500];
    return new Response(JSON.stringify({ type: `/problems/${type}` }), {
      status,
      headers: { "Content-Type": "application/json" },
    });
  });
  return asked;
}

describe("drafts that another page left here", () => {
  beforeEach(async () => {
    vi.unstubAllGlobals();
    for (const [reading] of await unsentOf("u1")) await readingQueue("u1", reading).dropUnsent();
    for (const reading of ["a", "b", "c"]) await readingQueue("u1", reading).keepUnsent(draft);
  });

  it("are sent, set aside if closed, and left if something else is wrong with them", async () => {
    await readingQueue("u1", "d").keepUnsent(draft);
    const asked = server({ a: [200], b: [409, "reading-locked"], c: [409, "stale-draft"] });
    await sendLeftovers("/api/v1/", "u1", "d");
    expect(asked).toEqual(["a", "b", "c"]);
    expect((await unsentOf("u1")).map(([reading]) => reading)).toEqual(["c", "d"]);
    // What the log-out warns of.
    expect(await unsentDrafts()).toBe(2);
  });

  it("wait, all of them, while nobody answers or the reader is signed out", async () => {
    for (const status of [503, 401]) {
      const asked = server({ a: [status] });
      await sendLeftovers("/api/v1/", "u1", null);
      expect(asked).toEqual(["a"]);
    }
    expect(await unsentOf("u1")).toHaveLength(3);
  });

  it("are never another reader's", async () => {
    await readingQueue("u2", "x").keepUnsent(draft);
    const asked = server({ a: [200], b: [200], c: [200] });
    await sendLeftovers("/api/v1/", "u1", null);
    expect(asked).toEqual(["a", "b", "c"]);
    expect((await unsentOf("u2")).map(([reading]) => reading)).toEqual(["x"]);
    await readingQueue("u2", "x").dropUnsent();
  });
});
