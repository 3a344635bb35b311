import { describe, expect, it } from "vitest";
import { cellPixels, colourOf, contourPath, parseHex, placeOf, timesAverage } from "./heat";

const ramp = ["#000000", "#ff0000"].map(parseHex);

describe("timesAverage", () => {
  it("divides by the mean, so that a flat map is 1 everywhere", () => {
    expect(
      timesAverage({
        values: [
          [3, 3],
          [3, 3],
        ],
      }),
    ).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect(timesAverage({ values: [[0, 2]] })).toEqual([[0, 2]]);
    expect(timesAverage({ values: [[0, 0]] })).toEqual([[0, 0]]);
  });
});

describe("colour", () => {
  it("paints nothing at or below chance, and the ramp's end at 4×", () => {
    expect(colourOf(1, ramp).alpha).toBe(0);
    expect(colourOf(0.2, ramp).alpha).toBe(0);
    expect(colourOf(4, ramp)).toEqual({ rgb: [255, 0, 0], alpha: 1 });
    expect(colourOf(40, ramp)).toEqual({ rgb: [255, 0, 0], alpha: 1 });
    expect(colourOf(2.5, ramp).rgb).toEqual([128, 0, 0]);
  });
  it("makes one pixel a cell", () => {
    expect([...cellPixels([[1, 4]], ramp)]).toEqual([0, 0, 0, 0, 255, 0, 0, 255]);
  });
});

describe("place", () => {
  it("is the image itself when the processor squashes", () => {
    const squash = {
      image_size: [100, 200],
      scale_xy: [1.68, 3.36],
      offset_xy: [0, 0],
      grid_shape: [24, 24],
      cell_size: [14, 14],
    };
    const place = placeOf(squash as Parameters<typeof placeOf>[0]);
    expect(place.x).toBe(0);
    expect(place.width).toBeCloseTo(200);
    expect(place.height).toBeCloseTo(100);
  });
  it("reaches beyond the image where the processor pads, and stays inside where it crops", () => {
    const padded = placeOf({
      image_size: [100, 200],
      scale_xy: [1, 1],
      offset_xy: [0, 50],
      grid_shape: [4, 4],
      cell_size: [50, 50],
    });
    expect(padded).toEqual({ x: 0, y: -50, width: 200, height: 200 });
    const cropped = placeOf({
      image_size: [100, 200],
      scale_xy: [2, 2],
      offset_xy: [-100, 0],
      grid_shape: [4, 4],
      cell_size: [50, 50],
    });
    expect(cropped).toEqual({ x: 50, y: 0, width: 100, height: 100 });
  });
});

describe("contour", () => {
  it("goes round the cells at or above the level", () => {
    expect(
      contourPath([
        [0, 2],
        [0, 0],
      ]),
    ).toBe("M1 0h1M1 1h1M1 0v1M2 0v1");
    expect(contourPath([[2, 2]])).not.toContain("M1 0v1");
  });
});
