import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { ShapeGeometry } from "../api/types";
import { area, bounds, contains } from "./shapes";

type FixtureCase = ShapeGeometry & {
  name: string;
  size: [number, number];
  pixels: string[];
  bounding_box: [number, number, number, number];
  area_px: number;
};

// The same file is read by pytest: one pixel convention in two languages.
const CASES = JSON.parse(
  readFileSync(new URL("../../../tests/fixtures/geometry.json", import.meta.url), "utf8"),
) as FixtureCase[];

describe("the shared geometry fixture", () => {
  it("has cases of every shape", () => {
    expect(new Set(CASES.map((one) => one.shape)).size).toBe(7);
  });

  it.each(CASES.map((one) => [one.name, one] as const))("%s", (_name, one) => {
    const [height, width] = one.size;
    const rows = Array.from({ length: height }, (_, row) =>
      Array.from({ length: width }, (_, column) => (contains(one, column + 0.5, row + 0.5) ? "1" : "0")).join(""),
    );
    expect(rows).toEqual(one.pixels);
    bounds(one).forEach((value, index) => {
      expect(value).toBeCloseTo(one.bounding_box[index] as number, 9);
    });
    expect(area(one)).toBeCloseTo(one.area_px, 9);
  });
});
