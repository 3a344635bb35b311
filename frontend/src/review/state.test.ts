// @vitest-environment happy-dom
import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Consensus, Review, ReviewPage } from "./data";
import { takeAnswer } from "./merge";
import {
  autosave,
  change,
  close,
  consensus,
  draft,
  failure,
  history,
  load,
  mine,
  page,
  refusal,
  reviews,
  said,
} from "./state";

const ME = { id: "u1", username: "vera", name: "Vera" };
const CASE = "c1";

function review(changes: Partial<Review> = {}): Review {
  return {
    ...{ id: crypto.randomUUID(), number: 1, state: "open", version: 0, is_open: true, is_mine: true, holder: ME },
    ...{ held_since: "", opened_by: ME, opened_at: "", saved_at: null, escalated_to: null, escalation_reason: "" },
    ...{ closed_by: null, closed_at: null, has_read_case: false, gold_before: 0, gold_revision: null },
    ...{ can_revert: false, reverted_by: null, reverted_at: null, revert_reason: "", action: "", reason: "" },
    ...{ content: { answer: null, rois: [], steps: [] }, sources: [] },
    ...changes,
  } as Review;
}

const NOTHING = { readings: [], counted: [], regions: [], uncounted_rois: 0, steps: [], gold: null };
const FOUND = { ...NOTHING, answers: { n: 0 } } as unknown as Consensus;
let stored: Review;
let refused: { status: number; body: object } | null;
const sent: { close?: boolean; reason: string; version: number }[] = [];

function answer(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
}

beforeEach(() => {
  stored = review();
  refused = null;
  sent.length = 0;
  page.value = { case: { id: CASE }, user: ME } as unknown as ReviewPage;
  vi.stubGlobal("fetch", async (url: string, init: RequestInit = {}) => {
    if (url.endsWith("consensus/")) return answer(FOUND);
    if (init.method !== "POST") return answer({ results: [stored] });
    const body = JSON.parse(`${init.body}`);
    if (refused && (body.close || refused.status === 503)) return answer(refused.body, refused.status);
    sent.push(body);
    stored = { ...stored, ...body, version: body.version + 1 };
    if (body.close) stored = { ...stored, state: "closed", is_open: false, is_mine: false };
    return answer(stored);
  });
});

afterEach(async () => {
  stored = review({ is_open: false, is_mine: false, state: "closed" });
  refused = null;
  await load();
  vi.unstubAllGlobals();
});

describe("a review in the making", () => {
  it("is taken up as it is stored", async () => {
    stored = review({ reason: "half" });
    await load();
    expect(draft.value?.reason).toBe("half");
    expect(mine.value?.id).toBe(stored.id);
  });

  it("belongs to its holder only", async () => {
    stored = review({ is_mine: false });
    await load();
    expect(draft.value).toBeNull();
    change((now) => takeAnswer(now, { choice: "A" }, null));
    expect(draft.value).toBeNull();
  });

  it("is saved before it is closed, over the version that came back", async () => {
    await load();
    change((now) => ({ ...takeAnswer(now, { choice: "A" }, null), reason: "Plain." }));
    expect(draft.value?.action).toBe("edit");
    expect(await close()).toBe(true);
    expect(sent.map((body) => [body.close ?? false, body.version])).toEqual([
      [false, 0],
      [true, 1],
    ]);
    expect(said.value).toContain("gold is written");
    expect(draft.value).toBeNull();
    expect(reviews.value[0]?.state).toBe("closed");
  });

  it("is kept on this computer when the server is away, and found again by the next page", async () => {
    await load();
    refused = { status: 503, body: {} };
    change((now) => ({ ...now, reason: "Not lost." }));
    expect(await close()).toBe(false);
    expect(refusal.value).toContain("was not closed");
    autosave.value?.stop();
    // Another page: the review goes to nobody and comes back.
    const same = stored;
    stored = review({ is_mine: false });
    await load();
    expect(draft.value).toBeNull();
    stored = same;
    await load();
    expect(draft.value?.reason).toBe("Not lost.");
    refused = null;
    expect(await autosave.value?.flush()).toBe(true);
    expect(sent.at(-1)?.reason).toBe("Not lost.");
  });

  it("is saved once more when gold came in, so that it can be closed by whoever has seen that", async () => {
    await load();
    change((now) => ({ ...takeAnswer(now, { choice: "A" }, null), reason: "Plain." }));
    refused = { status: 409, body: { type: "/problems/gold-moved", detail: "The gold is at revision 2 now." } };
    expect(await close()).toBe(false);
    expect(refusal.value).toContain("revision 2");
    refused = null;
    expect(await close()).toBe(true);
    expect(sent.map((body) => body.close ?? false)).toEqual([false, false, true]);
  });

  it("is undone and done again, action and all, and saved so; letters typed in one go are one undo", async () => {
    await load();
    change((now) => takeAnswer(now, { choice: "A" }, null));
    for (const reason of ["W", "Wh", "Why"]) change((now) => ({ ...now, reason }), { merge: "reason" });
    expect(history.undoes).toBe("reason");
    history.undo();
    expect(draft.value).toMatchObject({ reason: "", action: "edit" });
    history.undo();
    expect(draft.value).toMatchObject({ action: "", content: { answer: null } });
    history.redo();
    expect(await autosave.value?.flush()).toBe(true);
    expect(sent.at(-1)).toMatchObject({ reason: "", action: "edit" });
  });

  it("cannot be undone into by whoever lost it", async () => {
    await load();
    change((now) => ({ ...now, reason: "Mine." }));
    await autosave.value?.flush();
    stored = { ...stored, is_mine: false };
    await load();
    history.undo();
    expect(draft.value).toBeNull();
    expect(history.canUndo).toBe(false);
  });

  it("says what the server says when the readings cannot be had", async () => {
    consensus.value = null;
    vi.stubGlobal("fetch", async () => answer({ type: "/problems/forbidden", detail: "Read it first." }, 403));
    await load();
    expect(failure.value).toBe("Read it first.");
  });
});
