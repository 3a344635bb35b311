import { describe, expect, it } from "vitest";
import { ellipsePerimeter, extentOf } from "./size";

describe("the size of a shape", () => {
  it("of a circle is its circumference, also turned and in millimetres", () => {
    const circle = { cx: 50, cy: 40, rx: 10, ry: 10, angle: 0.7 };
    expect(ellipsePerimeter(circle, [1, 1])).toBeCloseTo(2 * Math.PI * 10, 3);
    expect(ellipsePerimeter(circle, [0.5, 0.5])).toBeCloseTo(Math.PI * 10, 3);
  });

  it("of an ellipse that oblong pixels make a circle is that circle's", () => {
    expect(ellipsePerimeter({ cx: 0, cy: 0, rx: 20, ry: 10, angle: 0 }, [2, 1])).toBeCloseTo(2 * Math.PI * 20, 2);
    // Ramanujan's second formula for 3 : 1.
    expect(ellipsePerimeter({ cx: 0, cy: 0, rx: 3, ry: 1, angle: 1 }, [1, 1])).toBeCloseTo(13.3649, 3);
  });

  it("of a box is told along each side", () => {
    const box = { shape: "box" as const, geometry: { x0: 10, y0: 20, x1: 40, y1: 30 } };
    expect(extentOf(box, [0.5, 0.2])).toEqual([6, 5]);
  });
});
