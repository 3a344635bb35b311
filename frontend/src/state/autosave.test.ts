import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../api/client";
import type { Content } from "../api/types";
import { Autosave, LONGEST_WAIT_MS, QUIET_MS } from "./autosave";
import type { Kept, PendingSubmit, Queue, Unsent } from "./queue";
import { EMPTY_CONTENT } from "./store";

class MemoryQueue implements Queue {
  draft: Unsent | undefined;
  submit: PendingSubmit | undefined;
  kept: Kept[] = [];
  unsent = async () => this.draft;
  keepUnsent = async (unsent: Unsent) => {
    this.draft = unsent;
  };
  dropUnsent = async () => {
    this.draft = undefined;
  };
  pendingSubmit = async () => this.submit;
  keepSubmit = async (pending: PendingSubmit) => {
    this.submit = pending;
  };
  dropSubmit = async () => {
    this.submit = undefined;
  };
  keepOther = async (kept: Kept) => {
    this.kept.push(kept);
  };
}

const text = (value: string): Content => ({ ...EMPTY_CONTENT, answer: { text: value } });
const saved = (version: number) => ({ version, saved_at: "2026-11-22T14:02:00Z" });

describe("autosave", () => {
  let queue: MemoryQueue;
  const put = vi.fn<(body: Content & { version: number }) => Promise<{ version: number; saved_at: string }>>();

  beforeEach(() => {
    vi.useFakeTimers();
    put.mockReset();
    queue = new MemoryQueue();
  });
  afterEach(() => vi.useRealTimers());

  const start = (version = 3) => new Autosave({ queue, version, savedAt: null, put });

  it("keeps a change here at once and sends it with its version after a quiet moment", async () => {
    put.mockResolvedValue(saved(4));
    const autosave = start();
    autosave.changed(text("a"));
    await vi.advanceTimersByTimeAsync(1);
    expect(queue.draft).toMatchObject({ version: 3, changes: 1, content: text("a") });
    expect(put).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(QUIET_MS);
    expect(put).toHaveBeenCalledExactlyOnceWith({ ...text("a"), version: 3 });
    expect(queue.draft).toBeUndefined();
    expect(autosave.state.value).toEqual({ kind: "saved", at: "2026-11-22T14:02:00Z" });
    expect(autosave.version).toBe(4);
  });

  it("does not wait for ever while somebody keeps typing", async () => {
    put.mockResolvedValue(saved(4));
    const autosave = start();
    for (let ms = 0; ms <= LONGEST_WAIT_MS; ms += 200) {
      autosave.changed(text(String(ms)));
      await vi.advanceTimersByTimeAsync(200);
    }
    expect(put).toHaveBeenCalled();
  });

  it("sends what changed during a request afterwards, over the new version", async () => {
    let answer: (value: { version: number; saved_at: string }) => void = () => undefined;
    put.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    put.mockResolvedValueOnce(saved(5));
    const autosave = start();
    autosave.changed(text("a"));
    await vi.advanceTimersByTimeAsync(QUIET_MS);
    autosave.changed(text("b"));
    answer(saved(4));
    await vi.advanceTimersByTimeAsync(QUIET_MS * 2);
    expect(put).toHaveBeenLastCalledWith({ ...text("b"), version: 4 });
    expect(autosave.isClean).toBe(true);
  });

  it("keeps and counts changes while offline and sends when the server is back", async () => {
    put.mockRejectedValueOnce(new ApiError(0, null, "no answer"));
    put.mockResolvedValueOnce(saved(4));
    const autosave = start();
    autosave.changed(text("a"));
    await vi.advanceTimersByTimeAsync(QUIET_MS);
    autosave.changed(text("b"));
    expect(autosave.state.value).toEqual({ kind: "offline", changes: 2 });
    expect(queue.draft?.changes).toBe(1);
    await vi.advanceTimersByTimeAsync(1100);
    expect(autosave.state.value.kind).toBe("saved");
    expect(put).toHaveBeenLastCalledWith({ ...text("b"), version: 3 });
  });

  it("stops when signed out, and keeps the draft", async () => {
    put.mockRejectedValue(new ApiError(401, null, "signed out"));
    const autosave = start();
    autosave.changed(text("a"));
    await vi.advanceTimersByTimeAsync(QUIET_MS);
    expect(autosave.state.value).toEqual({ kind: "signed-out", changes: 1 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(put).toHaveBeenCalledTimes(1);
    expect(queue.draft?.content).toEqual(text("a"));
  });

  it.each(["mine", "theirs"] as const)("shows two versions; choosing %s keeps the other", async (choice) => {
    const theirs = text("theirs");
    const stale = { type: "/problems/stale-draft", yours: text("mine"), theirs, version: 9 };
    put.mockRejectedValueOnce(new ApiError(409, stale, ""));
    put.mockResolvedValueOnce(saved(10));
    const autosave = start();
    autosave.changed(text("mine"));
    await vi.advanceTimersByTimeAsync(QUIET_MS);
    expect(autosave.state.value).toEqual({ kind: "conflict", mine: text("mine"), theirs, version: 9 });
    const taken = await autosave.resolve(choice);
    if (choice === "mine") {
      expect(put).toHaveBeenLastCalledWith({ ...text("mine"), version: 9 });
      expect(queue.kept[0]?.content).toEqual(theirs);
    } else {
      expect(taken).toEqual(theirs);
      expect(queue.kept[0]?.content).toEqual(text("mine"));
    }
    expect(autosave.state.value.kind).toBe("saved");
  });

  it("finds the draft of a killed tab and sends it over the version it was made from", async () => {
    queue.draft = { content: text("kept"), version: 2, changes: 5, at: "2026-11-22T14:00:00Z" };
    put.mockResolvedValue(saved(4));
    const autosave = start(3);
    expect(await autosave.restore()).toEqual(text("kept"));
    await vi.advanceTimersByTimeAsync(10);
    expect(put).toHaveBeenCalledExactlyOnceWith({ ...text("kept"), version: 2 });
    expect(queue.draft).toBeUndefined();
  });

  it("stops for good at a locked reading and reports what the server refused", async () => {
    put.mockRejectedValueOnce(
      new ApiError(400, { type: "/problems/invalid", errors: [{ path: "rois[0]", detail: "no" }] }, ""),
    );
    const refused = start();
    refused.changed(text("a"));
    expect(await refused.flush()).toBe(false);
    expect(refused.state.value).toMatchObject({ kind: "refused", errors: [{ path: "rois[0]", detail: "no" }] });
    put.mockRejectedValueOnce(new ApiError(409, { type: "/problems/reading-locked" }, ""));
    const locked = start();
    locked.changed(text("a"));
    await locked.flush();
    locked.changed(text("b"));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(locked.state.value).toEqual({ kind: "locked" });
    // It waits for nothing any more, so that no log-out warns of it; what differs is still on this computer.
    expect(queue.draft).toBeUndefined();
    expect(queue.kept.at(-1)).toMatchObject({ content: text("b"), why: "closed elsewhere" });
    expect(put).toHaveBeenCalledTimes(2);
  });
});
