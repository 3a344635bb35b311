import "fake-indexeddb/auto";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { HandedOut, ImageInfo, WorkspaceData } from "../api/types";
import { Session } from "../state/session";
import { EMPTY_CONTENT } from "../state/store";
import { submitByHand } from "../state/submit";
import { press } from "./keymap";
import { hoverTrace, pressTrace } from "./tracing";
import type { Where } from "./where";

const image = { number: 1, width: 100, height: 100, frames: 1, channels: 1, modality: "CT", spacing_mm: null };
const LABELS = [
  { id: "mass", name: "Mass", colour: "#fff", line_style: "solid", shapes: ["polygon"], key: "1" },
  { id: "line", name: "Line of fluid", colour: "#fff", line_style: "solid", shapes: ["line", "box"], key: "2" },
];
const handed = {
  assignment: "a",
  lease_expires_at: "2026-11-22T14:43:00Z",
  case: { id: "c", key: "c", question: "?", options: null, history: "", images: [image, { ...image, number: 2 }] },
  reading: { id: "r", arm: "unaided", state: "draft", version: 0, revision: 0, saved_at: null, content: EMPTY_CONTENT },
} as unknown as HandedOut;
const data = {
  benchmark: { slug: "demo", title: "Demo", is_demo: true, demo_note: "" },
  protocol: { labels: LABELS, step_kinds: ["free"], required: [] },
  user: { id: "u", name: "Reader" },
  progress: { done: 0, total: 1 },
  next: handed,
  urls: { api: "/api/v1/", home: "/", login: "/login/" },
} as unknown as WorkspaceData;

let session: Session;
let clock = 0;
let readings = 0;

/** A viewport of 200 x 200 screen pixels: two of them an image pixel. */
function where(cellIndex = 0): Where {
  const cell = session.cells.peek()[cellIndex] as Where["cell"];
  cell.box.value = { width: 200, height: 200 };
  return { board: session, cell, image: session.images.peek()[cellIndex] as ImageInfo, draft: { value: null } };
}

function click(x: number, y: number, after = 1000, cellIndex = 0): void {
  clock += after;
  pressTrace(where(cellIndex), { timeStamp: clock } as PointerEvent, x, y)?.end(false);
}

const key = (stroke: string, target: EventTarget | null = null): boolean => press(session, { stroke, target });
const drawn = (): unknown[] => session.rois.peek().map((roi) => roi.geometry);

beforeEach(async () => {
  vi.stubGlobal("document", { cookie: "" });
  for (const name of ["Element", "HTMLInputElement", "HTMLTextAreaElement"]) vi.stubGlobal(name, class {});
  vi.stubGlobal("fetch", () => Promise.reject(new Error("no server")));
  // A reading of its own: what an earlier one kept on this computer is not taken up again.
  readings += 1;
  const reading = { ...handed.reading, id: `r${readings}` };
  session = new Session({ ...data, next: { ...handed, reading } });
  await session.start();
  session.setLayout("1x2");
  session.tool.value = "polygon";
});

describe("a polygon by clicks", () => {
  it("is closed by Enter once it has an area, and is one undo", () => {
    click(20, 20);
    click(60, 20);
    click(100, 20);
    expect(key("Enter")).toBe(false);
    click(60, 81);
    expect(key("Enter")).toBe(true);
    expect(drawn()).toEqual([
      {
        points: [
          [10, 10],
          [30, 10],
          [50, 10],
          [30, 40.5],
        ],
      },
    ]);
    session.store.undo();
    expect(drawn()).toEqual([]);
  });

  it("is closed by a press on its first corner or by a double press, which adds no corner", () => {
    for (const at of [20, 60]) click(at, 20);
    click(60, 60);
    click(24, 23);
    for (const at of [20, 60]) click(at, 120);
    click(60, 160);
    click(61, 161, 200);
    expect(session.rois.peek().map((roi) => (roi.shape === "polygon" ? roi.geometry.points.length : 0))).toEqual([
      3, 3,
    ]);
  });

  it("gives its last corner back before anything else is undone, and goes with Escape", () => {
    click(20, 20);
    click(60, 20);
    hoverTrace(where(), 80, 80);
    expect(session.trace.peek()?.next).toEqual([40, 40]);
    expect(key("Ctrl+z")).toBe(true);
    expect(session.trace.peek()?.points).toEqual([[10, 10]]);
    expect(key("Backspace")).toBe(true);
    expect(session.trace.peek()).toBeNull();
    click(20, 20);
    expect(key("Escape")).toBe(true);
    expect(session.trace.peek()).toBeNull();
  });

  it("is kept when another one is begun on another image, if it encloses anything", () => {
    for (const at of [20, 60]) click(at, 20);
    click(60, 60);
    click(20, 20, 1000, 1);
    expect(drawn()).toHaveLength(1);
    expect(session.trace.peek()).toMatchObject({ image: 2, points: [[10, 10]] });
  });

  it("holds a submit back until it is closed or cancelled", async () => {
    click(20, 20);
    await submitByHand(session);
    expect(session.notice.peek()).toContain("A polygon on image 1 is open");
    expect(session.handed.peek()?.reading.id).toBe(`r${readings}`);
  });

  it("takes only labels that may be drawn as a polygon, and says so of others", () => {
    session.label.value = "line";
    for (const at of [20, 60]) click(at, 20);
    click(60, 60);
    key("Enter");
    const label = (): string | null | undefined => session.rois.peek()[0]?.label;
    expect(label()).toBeNull();
    key("2");
    expect(label()).toBeNull();
    expect(session.toast.peek()?.text).toBe("Line of fluid takes line or box, not polygon");
    key("1");
    expect(label()).toBe("mass");
  });
});
