import { describe, expect, it } from "vitest";
import type { EllipseGeometry, ShapeGeometry } from "../api/types";
import { moved, reshaped, withCorner, withoutCorner } from "./edit";
import { ellipseBetween, ellipseContains } from "./ellipse";
import { gripsOf, nearestEdge } from "./handles";
import { crossesItself, simplified } from "./outline";
import type { Point } from "./types";

const extent = { width: 100, height: 80 };
const plain = { isRound: false, fromCentre: false };
const square: Point[] = [
  [10, 10],
  [30, 10],
  [30, 30],
  [10, 30],
];
const polygon: ShapeGeometry = { shape: "polygon", geometry: { points: square } };

describe("moving", () => {
  it("keeps the form and stops at the image's edge, for every shape", () => {
    expect(moved({ shape: "box", geometry: { x0: 1, y0: 2, x1: 11, y1: 12 } }, [-5, 3], extent).geometry).toEqual({
      x0: 0,
      y0: 5,
      x1: 10,
      y1: 15,
    });
    expect(moved(polygon, [500, -2.5], extent).geometry).toEqual({
      points: [
        [80, 7.5],
        [100, 7.5],
        [100, 27.5],
        [80, 27.5],
      ],
    });
    expect(moved({ shape: "point", geometry: { x: 99, y: 1 } }, [10, 10], extent).geometry).toEqual({ x: 100, y: 11 });
    const outside: EllipseGeometry = { cx: 5, cy: 40, rx: 10, ry: 5, angle: 0 };
    expect(moved({ shape: "ellipse", geometry: outside }, [-9, 1], extent).geometry).toMatchObject({ cx: 5, cy: 41 });
    expect(moved({ shape: "ellipse", geometry: outside }, [9, 0], extent).geometry).toMatchObject({ cx: 14, cy: 40 });
  });
});

describe("corners", () => {
  it("moves one, adds one after another and takes one out, but leaves three", () => {
    const points = (roi: ShapeGeometry): Point[] => (roi.shape === "polygon" ? roi.geometry.points : []);
    expect(points(reshaped(polygon, "v1", [130, 5.12345], extent, false))[1]).toEqual([100, 5.123]);
    expect(points(withCorner(polygon, 3, [10, 20], extent))).toEqual([...square, [10, 20]]);
    const three = withoutCorner(polygon, 0);
    expect(points(three)).toEqual(square.slice(1));
    expect(withoutCorner(three, 0)).toBe(three);
  });

  it("finds the edge nearest to a point, the closing one too", () => {
    expect(nearestEdge({ points: square }, [9, 20])).toEqual({ edge: 3, far: 1 });
    expect(nearestEdge({ points: square }, [20, 12])).toEqual({ edge: 0, far: 2 });
  });

  it("has a handle at each corner, and in the middle of edges that are long on the screen", () => {
    expect(gripsOf(polygon, 1).map((grip) => grip.id)).toEqual(["v0", "v1", "v2", "v3"]);
    expect(gripsOf(polygon, 2).map((grip) => grip.id)).toContain("i3");
  });
});

describe("ellipses", () => {
  it("fills the box of its drag, from whichever corner", () => {
    const wanted = { cx: 20, cy: 30, rx: 10, ry: 5, angle: 0 };
    expect(ellipseBetween([10, 25], [30, 35], plain, 1, extent)).toEqual(wanted);
    expect(ellipseBetween([30, 35], [10, 25], plain, 1, extent)).toEqual(wanted);
    expect(ellipseBetween([20, 30], [30, 35], { ...plain, fromCentre: true }, 1, extent)).toEqual(wanted);
    expect(ellipseBetween([10, 25], [10.1, 35], plain, 1, extent)).toBeNull();
  });

  it("is round on the screen with Shift, pixels of any shape, and never leaves the image", () => {
    const keys = { isRound: true, fromCentre: false };
    expect(ellipseBetween([10, 10], [20, 12], keys, 2, extent)).toMatchObject({ rx: 5, ry: 2.5 });
    expect(ellipseBetween([90, 10], [70, 20], keys, 1, extent)).toMatchObject({ rx: 10, ry: 10, cx: 80, cy: 20 });
    expect(ellipseBetween([95, 10], [300, 30], keys, 1, extent)).toMatchObject({ rx: 2.5, ry: 2.5 });
    expect(ellipseBetween([95, 10], [300, 30], plain, 1, extent)).toMatchObject({ cx: 97.5, rx: 2.5, ry: 10 });
  });

  it("has handles where its edge is, turned or not, and each dragged to its own place changes nothing", () => {
    const ellipse = { cx: 40, cy: 40, rx: 20, ry: 8, angle: 0.6 };
    for (const grip of gripsOf({ shape: "ellipse", geometry: ellipse }, 1)) {
      const [x, y] = grip.at;
      const inward: Point = [40 + (x - 40) * 0.999, 40 + (y - 40) * 0.999];
      if (grip.kind === "resize") {
        expect(ellipseContains(ellipse, ...inward)).toBe(true);
        expect(ellipseContains(ellipse, 40 + (x - 40) * 1.001, 40 + (y - 40) * 1.001)).toBe(false);
      }
      const again = reshaped({ shape: "ellipse", geometry: ellipse }, grip.id, grip.at, extent, false);
      expect(again.geometry).toEqual(ellipse);
    }
  });

  it("turns clockwise with the hand, in steps with Shift", () => {
    const roi: ShapeGeometry = { shape: "ellipse", geometry: { cx: 40, cy: 40, rx: 20, ry: 8, angle: 0 } };
    expect(reshaped(roi, "turn", [60, 40], extent, false).geometry).toMatchObject({ angle: 1.5708 });
    expect(reshaped(roi, "turn", [46, 20], extent, true).geometry).toMatchObject({ angle: 0.2618 });
  });
});

describe("outlines", () => {
  it("are flagged where they cross themselves, not where they only touch their neighbours", () => {
    expect(crossesItself({ points: square })).toBe(false);
    expect(crossesItself({ points: [square[0], square[2], square[1], square[3]] as Point[] })).toBe(true);
    expect(crossesItself({ points: square.slice(0, 3) })).toBe(false);
  });

  it("lose only points that say nothing", () => {
    const arc = Array.from({ length: 200 }, (_, k): Point => [50 + 30 * Math.cos(k / 32), 40 + 30 * Math.sin(k / 32)]);
    const few = simplified(arc, 0.25);
    expect(few.length).toBeLessThan(40);
    for (const point of arc) expect(nearestEdge({ points: few }, point).far).toBeLessThan(0.2501);
    expect(few[0]).toEqual(arc[0]);
    expect(few.at(-1)).toEqual(arc.at(-1));
  });
});
