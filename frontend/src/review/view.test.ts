import { describe, expect, it } from "vitest";
import { maskPath } from "./marks";
import { styleOf, WHOLE, within, zoomBy } from "./view";

describe("zoom", () => {
  it("keeps the point under the pointer where it was", () => {
    const at = { x: 0.3, y: 0.6 };
    const near = zoomBy(WHOLE, 2, at.x, at.y);
    // A point's place in the box is (point - centre) * scale.
    expect((at.x - near.x) * near.scale).toBeCloseTo((at.x - WHOLE.x) * WHOLE.scale);
    expect((at.y - near.y) * near.scale).toBeCloseTo((at.y - WHOLE.y) * WHOLE.scale);
  });

  it("never leaves the image, nor shows less than all of it when zoomed out", () => {
    expect(zoomBy(WHOLE, 0.1, 0, 0)).toEqual(WHOLE);
    expect(within({ scale: 2, x: -3, y: 9 })).toEqual({ scale: 2, x: 0.25, y: 0.75 });
    expect(zoomBy(WHOLE, 1000, 0.5, 0.5).scale).toBe(12);
  });
});

describe("looks", () => {
  it("gives eight readers eight pairs of colour and line, then begins again", () => {
    expect([1, 2, 8, 9].map((number) => styleOf({ number }))).toEqual([1, 2, 8, 1]);
  });

  it("draws a mask's outline along its pixels' edges", () => {
    // Two rows, three columns; the middle column of the first row is set: runs go down the columns.
    const one = { size: [2, 3] as [number, number], counts: [2, 1, 3] };
    expect(maskPath(one)).toBe("M1 0H2M1 1H2M1 0V1M2 0V1");
    expect(maskPath(one)).toBe(maskPath(one));
    expect(maskPath({ size: [2, 3], counts: [6] })).toBe("");
    // All of it: the image's own frame, each side one run.
    expect(maskPath({ size: [2, 3], counts: [0, 6] })).toBe("M0 0H3M0 2H3M0 0V2M3 0V2");
  });
});
