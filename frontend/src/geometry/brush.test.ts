import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { MaskGeometry, ShapeGeometry } from "../api/types";
import { maskOf, stroked } from "./brush";
import { decodeCounts, decodeMask, encodeCounts, encodeMask } from "./mask";

interface FixtureCase {
  size: [number, number];
  pixels: string[];
}

const CASES = JSON.parse(
  readFileSync(new URL("../../../tests/fixtures/geometry.json", import.meta.url), "utf8"),
) as (ShapeGeometry & FixtureCase & { name: string })[];
const image = { width: 6, height: 5 };

const rows = (mask: MaskGeometry | null): string[] => {
  if (!mask) return [];
  const [height, width] = mask.size;
  const pixels = decodeMask(mask);
  return Array.from({ length: height }, (_, y) =>
    Array.from(pixels.subarray(y * width, (y + 1) * width), (value) => (value ? "#" : ".")).join(""),
  );
};

describe("runs of a mask", () => {
  it("are written as they are read", () => {
    expect(encodeCounts([5, 2, 2, 1, 3, 3, 2, 2, 3, 1])).toBe("522O12OO1O");
    const counts = [0, 1, 70000, 3, 40, 2, 16, 31, 32, 1_000_000, 1];
    expect(decodeCounts(encodeCounts(counts))).toEqual(counts);
  });

  it("of no pixel and of all are one and two", () => {
    expect(decodeCounts(encodeMask(new Uint8Array(6), 3, 2).counts as string)).toEqual([6]);
    expect(decodeCounts(encodeMask(new Uint8Array(6).fill(1), 3, 2).counts as string)).toEqual([0, 6]);
  });
});

describe("a shape as a mask", () => {
  it.each(CASES.map((one) => [one.name, one] as const))("%s has the pixels that the server gives it", (_name, one) => {
    const [height, width] = one.size;
    const wanted = one.pixels.map((row) => row.replaceAll("1", "#").replaceAll("0", "."));
    const mask = maskOf(one, { width, height });
    if (mask) expect(rows(mask)).toEqual(wanted);
    else expect(wanted.join("")).not.toContain("#");
  });
});

describe("a stroke", () => {
  it("covers the pixels whose centres it reaches, along its whole way", () => {
    const mask = stroked(
      null,
      {
        points: [
          [1.5, 1.5],
          [4.5, 1.5],
        ],
        radius: 1,
      },
      image,
      false,
    );
    expect(rows(mask)).toEqual([".####.", "######", ".####.", "......", "......"]);
  });

  it("of a brush smaller than a pixel covers the pixel below it", () => {
    expect(rows(stroked(null, { points: [[2.95, 0.05]], radius: 0.5 }, image, false))[0]).toBe("..#...");
  });

  it("adds to a mask, and takes from it what it erases", () => {
    const one = stroked(null, { points: [[0.5, 0.5]], radius: 0.5 }, image, false);
    const two = stroked(one, { points: [[5.5, 4.5]], radius: 0.5 }, image, false);
    expect(rows(two)).toEqual(["#.....", "......", "......", "......", ".....#"]);
    expect(rows(stroked(two, { points: [[0.5, 0.5]], radius: 0.5 }, image, true))[0]).toBe("......");
  });

  it("that leaves no pixel leaves no mask; beyond the image there is nothing to cover", () => {
    const one = stroked(null, { points: [[0.5, 0.5]], radius: 0.5 }, image, false);
    expect(stroked(one, { points: [[0.5, 0.5]], radius: 2 }, image, true)).toBeNull();
    expect(
      stroked(
        null,
        {
          points: [
            [-9, -9],
            [-5, 40],
          ],
          radius: 2,
        },
        image,
        false,
      ),
    ).toBeNull();
  });
});
