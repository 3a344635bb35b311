import { describe, expect, it } from "vitest";
import type { Roi } from "../api/types";
import { windowOf } from "./Inset";

const box = (x0: number, y0: number, x1: number, y1: number): Roi =>
  ({ id: "a", image: 1, frame: 0, label: null, shape: "box", geometry: { x0, y0, x1, y1 }, origin: "manual" }) as Roi;
const info = { width: 200, height: 100 };

describe("the enlarged window", () => {
  it("is a square about a small region", () => {
    expect(windowOf([box(100, 50, 120, 60)], info)).toEqual({ x: 92, y: 37, side: 36 });
  });

  it("stays on the image", () => {
    expect(windowOf([box(0, 0, 20, 10)], info)).toEqual({ x: 0, y: 0, side: 36 });
    expect(windowOf([box(185, 90, 200, 100)], info)).toMatchObject({ x: 173, y: 73 });
  });

  it("is not there for a region that can be seen, for regions far apart, and for none", () => {
    expect(windowOf([box(100, 50, 140, 60)], info)).toBeNull();
    expect(windowOf([box(0, 0, 10, 10), box(190, 90, 200, 100)], info)).toBeNull();
    expect(windowOf([], info)).toBeNull();
  });
});
