// @vitest-environment happy-dom
import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ImageInfo, Roi } from "../api/types";
import { drawShape, setLabel } from "../state/act";
import { changing } from "../tools/changing";
import type { Where } from "../tools/where";
import { board } from "./board";
import type { Consensus, ReadingSaid, ReviewPage } from "./data";
import { reviewKey } from "./keys";
import { takeRoi } from "./merge";
import { autosave, change, draft, history, load, page, refusal } from "./state";

const ME = { id: "u1", username: "vera", name: "Vera" };
const image = { number: 1, sha256: "s", width: 100, height: 100, frames: 1, channels: 1, spacing_mm: null };
const labels = [
  { id: "mass", name: "Mass", shapes: [] },
  { id: "cup", name: "Cup", shapes: ["polygon"] },
];
const box = { x0: 10, y0: 10, x1: 30, y1: 30 };
const roi = { id: "r", image: 1, frame: 0, label: "mass", origin: "manual", shape: "box", geometry: box } as Roi;
const from = { reading: "one", revision: 2 };
const FOUND = { readings: [], counted: [], regions: [], uncounted_rois: 0, steps: [], gold: null, answers: { n: 0 } };

let isMine: boolean;

function json(body: unknown): Response {
  return new Response(JSON.stringify(body), { headers: { "Content-Type": "application/json" } });
}

beforeEach(async () => {
  isMine = true;
  const review = { id: crypto.randomUUID(), version: 0, is_open: true, holder: ME, saved_at: null, action: "" };
  const content = { answer: null, rois: [], steps: [] };
  vi.stubGlobal("fetch", async (url: string) =>
    url.endsWith("consensus/")
      ? json(FOUND as unknown as Consensus)
      : json({ results: [{ ...review, is_mine: isMine, content, sources: [], reason: "" }] }),
  );
  page.value = { case: { id: "c", images: [image] }, user: ME, protocol: { labels } } as unknown as ReviewPage;
  board.open();
  await load();
  change((now) => takeRoi(now, roi, from as ReadingSaid));
  board.cell().view.value = { scale: 1, x: 0, y: 0, turn: 0, flip: false };
});

afterEach(() => {
  autosave.value?.stop();
  vi.unstubAllGlobals();
});

const geometry = (id = "r") => board.rois.value.find((one) => one.id === id)?.geometry;

function drag(handle: string | null, to: [number, number]): void {
  const where: Where = { board, cell: board.cell(), image: image as unknown as ImageInfo, draft: { value: null } };
  const at: [number, number] = handle ? [30, 30] : [20, 20];
  const held = changing(where, "r", handle, { timeStamp: performance.now() } as PointerEvent, at);
  held?.move(...to, { shiftKey: false } as PointerEvent);
  held?.end(false);
}

function key(name: string, extra: KeyboardEventInit = {}): boolean {
  return reviewKey(board, new KeyboardEvent("keydown", { key: name, ...extra }));
}

describe("the gold on the images", () => {
  it("is moved and resized, keeps its source, and comes back with one undo each", () => {
    drag(null, [25, 24]);
    expect(geometry()).toEqual({ x0: 15, y0: 14, x1: 35, y1: 34 });
    history.undo();
    expect(geometry()).toEqual(box);
    drag("se", [50, 45]);
    expect(geometry()).toEqual({ x0: 10, y0: 10, x1: 50, y1: 45 });
    expect(draft.value?.sources[0]).toMatchObject({ reading: "one", revision: 2, rois: ["r"] });
    expect(board.rois.value[0]?.origin).toBe("edited");
  });

  it("is drawn with the label in the hand where the label takes the shape", () => {
    board.label.value = "cup";
    drawShape(board, image as unknown as ImageInfo, 0, { shape: "box", geometry: box });
    expect(board.rois.value.at(-1)).toMatchObject({ label: null, origin: "manual" });
    const id = board.selected.value ?? "";
    setLabel(board, id, "cup");
    expect(refusal.value).toBe("Cup takes polygon, not box");
    setLabel(board, id, "mass");
    expect(board.rois.value.at(-1)?.label).toBe("mass");
    expect(draft.value?.action).toBe("edit");
  });

  it("is nudged and deleted by keys while the hand is on the images, and undone from anywhere", () => {
    board.selected.value = "r";
    expect(key("ArrowLeft")).toBe(false);
    board.isInHand.value = true;
    expect(key("ArrowLeft")).toBe(true);
    expect(key("ArrowDown", { shiftKey: true })).toBe(true);
    expect(geometry()).toEqual({ x0: 9, y0: 20, x1: 29, y1: 40 });
    expect(key("Delete")).toBe(true);
    expect(board.rois.value).toEqual([]);
    board.isInHand.value = false;
    expect(key("z", { ctrlKey: true })).toBe(true);
    expect(geometry()).toEqual({ x0: 9, y0: 20, x1: 29, y1: 40 });
    expect(key("z", { ctrlKey: true, shiftKey: true })).toBe(true);
    expect(board.rois.value).toEqual([]);
  });

  it("is only looked at by whoever does not hold the review", async () => {
    isMine = false;
    await load();
    expect(board.canDraw).toBe(false);
    drag(null, [40, 40]);
    expect(draft.value).toBeNull();
    expect(key("z", { ctrlKey: true })).toBe(false);
  });
});
