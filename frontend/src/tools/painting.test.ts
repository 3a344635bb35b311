// @vitest-environment happy-dom
import "fake-indexeddb/auto";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { HandedOut, ImageInfo, MaskGeometry, Roi, WorkspaceData } from "../api/types";
import { area } from "../geometry/shapes";
import { Session } from "../state/session";
import { EMPTY_CONTENT } from "../state/store";
import { press } from "./keymap";
import { brushOn, hoverBrush, painting } from "./painting";
import type { Where } from "./where";

const image = { number: 1, width: 100, height: 80, frames: 1, channels: 1, modality: "CT", spacing_mm: null };
const LABELS = [
  { id: "mass", name: "Mass", colour: "#fff", line_style: "solid", shapes: [], key: "1" },
  { id: "cup", name: "Cup", colour: "#fff", line_style: "solid", shapes: ["box"], key: "2" },
];
const data = {
  benchmark: { slug: "demo", title: "Demo", is_demo: true, demo_note: "" },
  protocol: { labels: LABELS, step_kinds: ["free"], required: [] },
  user: { id: "u", name: "Reader" },
  progress: { done: 0, total: 1 },
  urls: { api: "/api/v1/", home: "/", login: "/login/" },
};

let session: Session;
let readings = 0;

beforeEach(async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new Error("no server")));
  readings += 1;
  const reading = { id: `p${readings}`, version: 0, revision: 0, saved_at: null, content: EMPTY_CONTENT };
  const next = { case: { id: "c", key: "c", options: null, images: [image] }, reading } as unknown as HandedOut;
  session = new Session({ ...data, next } as unknown as WorkspaceData);
  await session.start();
  session.cell().box.value = { width: 100, height: 80 };
  session.tool.value = "brush";
  session.brush.value = 10;
});

function where(): Where {
  return { board: session, cell: session.cell(), image: image as unknown as ImageInfo, draft: { value: null } };
}

function stroke(points: [number, number][], { shiftKey = false, isCancelled = false } = {}): boolean {
  const [[x, y] = [0, 0], ...more] = points;
  const drag = painting(where(), { shiftKey } as PointerEvent, x, y);
  for (const [toX, toY] of more) drag?.move(toX, toY, {} as PointerEvent);
  drag?.end(isCancelled);
  return drag !== null;
}

const rois = (): Roi[] => session.rois.peek();
const pixels = (at = 0): number => area(rois()[at] as Roi);

function addBox(label: string | null): void {
  const geometry = { x0: 20, y0: 20, x1: 60, y1: 60 };
  session.addRoi({ id: "b", image: 1, frame: 0, label, origin: "manual", shape: "box", geometry } as Roi);
  session.selected.value = "b";
}

describe("the brush", () => {
  it("paints a region, goes on with it while it is selected, and each stroke is one undo", () => {
    stroke([
      [20, 20],
      [40, 20],
    ]);
    const first = pixels();
    expect(rois()).toHaveLength(1);
    expect((rois() as { geometry: MaskGeometry }[])[0]?.geometry.size).toEqual([80, 100]);
    stroke([[70, 60]]);
    expect(rois()).toHaveLength(1);
    expect(pixels()).toBeGreaterThan(first);
    expect(session.store.undoes).toBe("ROI 1 painted");
    session.store.undo();
    expect(pixels()).toBe(first);
    session.store.undo();
    expect(rois()).toEqual([]);
  });

  it("begins another region where none is selected", () => {
    stroke([[20, 20]]);
    session.selected.value = null;
    stroke([[22, 20]]);
    expect(rois()).toHaveLength(2);
  });

  it("takes away with Shift, and with a cancelled stroke does nothing", () => {
    stroke([
      [20, 20],
      [60, 20],
    ]);
    const before = pixels();
    stroke([[20, 20]], { isCancelled: true, shiftKey: true });
    expect(pixels()).toBe(before);
    stroke([[20, 20]], { shiftKey: true });
    expect(pixels()).toBeLessThan(before);
    expect(session.stroke.peek()).toBeNull();
  });

  it("goes on from what an undo left of its region, and is dropped where nothing is left", () => {
    stroke([[20, 20]]);
    const first = pixels();
    stroke([[70, 60]]);
    const onTo = painting(where(), { shiftKey: false } as PointerEvent, 40, 40);
    session.store.undo();
    onTo?.end(false);
    expect(pixels()).toBe(2 * first);
    session.store.undo();
    const onToNothing = painting(where(), { shiftKey: false } as PointerEvent, 40, 40);
    session.store.undo();
    onToNothing?.end(false);
    expect(rois()).toEqual([]);
  });

  it("makes a mask of a selected shape that it begins on, and leaves it alone elsewhere", () => {
    addBox("mass");
    stroke([[60, 40]]);
    expect(rois()[0]).toMatchObject({ id: "b", shape: "box" });
    expect(rois()).toHaveLength(2);
    session.selected.value = "b";
    stroke([[59, 40]]);
    expect(rois()[0]).toMatchObject({ id: "b", shape: "mask", label: "mass" });
    expect(pixels()).toBeGreaterThan(1600);
  });

  it("says which shapes a label takes where masks are not among them", () => {
    addBox("cup");
    expect(stroke([[40, 40]])).toBe(false);
    expect(session.toast.peek()?.text).toBe("Cup takes box, not a painted region");
    expect(rois()[0]?.shape).toBe("box");
  });
});

describe("the eraser", () => {
  it("takes from the painted region below it; a region of which nothing is left goes", () => {
    stroke([[20, 20]]);
    session.selected.value = null;
    session.tool.value = "eraser";
    stroke([[22, 20]]);
    expect(rois()).toHaveLength(1);
    session.brush.value = 40;
    stroke([[20, 20]]);
    expect(rois()).toEqual([]);
    session.store.undo();
    expect(rois()).toHaveLength(1);
  });

  it("says where there is nothing to take from", () => {
    session.tool.value = "eraser";
    expect(stroke([[20, 20]])).toBe(false);
    expect(session.toast.peek()?.text).toMatch(/painted regions/);
  });
});

describe("the brush's size", () => {
  it("follows the image until it is chosen, and brackets change it by a pixel at least", () => {
    session.brush.value = null;
    expect(brushOn(session, { width: 4000, height: 100 })).toBe(100);
    expect(brushOn(session, { width: 10, height: 8 })).toBe(2);
    const to = (stroke: string): number => {
      press(session, { stroke, target: null });
      return brushOn(session, image);
    };
    session.brush.value = 2;
    expect([to("]"), to("["), to("["), to("[")]).toEqual([3, 2, 1, 1]);
    session.brush.value = 49;
    expect([to("]"), to("]")]).toEqual([50, 50]);
    session.tool.value = "box";
    expect(to("[")).toBe(50);
  });

  it("is shown under a pointer that is not pressed", () => {
    hoverBrush(where(), 30, 30);
    expect(session.stroke.peek()).toMatchObject({ isPressed: false, points: [[30, 30]] });
    session.stroke.value = null;
    session.tool.value = "box";
    hoverBrush(where(), 30, 30);
    expect(session.stroke.peek()).toBeNull();
  });
});
