import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { MaskGeometry, ShapeGeometry } from "../api/types";
import { maskOf, stroked } from "./brush";
import { decodeCounts, decodeMask, encodeCounts, encodeMask, maskArea, maskBounds, maskContains } from "./mask";
import type { Point } from "./types";

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

/** Numbers in [0, 1), the same in every run. */
function drawn(): () => number {
  let seed = 7;
  return () => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return seed / 0x80000000;
  };
}

/** Pixel by pixel: is the centre within the radius of a piece of the stroke, or the pixel below one of its points? */
function asked(points: readonly Point[], radius: number, { width, height }: { width: number; height: number }): string {
  const isIn = (x: number, y: number): boolean =>
    points.some(([bx, by], at) => {
      const [ax, ay] = points[at - 1] ?? [bx, by];
      const [alongX, alongY] = [bx - ax, by - ay];
      const length = alongX * alongX + alongY * alongY;
      const part = length ? Math.min(1, Math.max(0, ((x + 0.5 - ax) * alongX + (y + 0.5 - ay) * alongY) / length)) : 0;
      const [dx, dy] = [x + 0.5 - ax - part * alongX, y + 0.5 - ay - part * alongY];
      return dx * dx + dy * dy <= radius * radius || (Math.floor(bx) === x && Math.floor(by) === y);
    });
  return Array.from({ length: width * height }, (_, at) => Number(isIn(at % width, Math.floor(at / width)))).join("");
}

describe("a stroke of any kind", () => {
  const next = drawn();
  const whole = (most: number): number => Math.floor(next() * (most + 1));

  it("covers what each pixel says of itself, and its mask knows its own size and place", () => {
    for (let round = 0; round < 400; round += 1) {
      const size = { width: 1 + whole(24), height: 1 + whole(24) };
      // Half of them on half pixels, where a centre lies just on the edge.
      const place = (most: number): number => (round % 2 ? whole(2 * most + 20) / 2 - 5 : next() * (most + 10) - 5);
      const points = Array.from({ length: 1 + whole(3) }, (): Point => [place(size.width), place(size.height)]);
      const radius = round % 2 ? whole(20) / 2 : next() * 10;
      const mask = stroked(null, { points, radius }, size, false);
      const wanted = asked(points, radius, size);
      expect(mask ? decodeMask(mask).join("") : wanted.replaceAll("1", "?")).toBe(wanted);
      if (!mask) continue;
      const set = [...wanted].flatMap((one, at) => (one === "1" ? [at] : []));
      const [columns, lines] = [set.map((at) => at % size.width), set.map((at) => Math.floor(at / size.width))];
      expect(maskArea(mask)).toBe(set.length);
      expect(maskBounds(mask)).toEqual([
        Math.min(...columns),
        Math.min(...lines),
        Math.max(...columns) + 1,
        Math.max(...lines) + 1,
      ]);
      const found = Array.from(wanted, (_, at) =>
        Number(maskContains(mask, (at % size.width) + 0.5, Math.floor(at / size.width) + 0.5)),
      );
      expect(found.join("")).toBe(wanted);
    }
  });

  it("however wide and long it is, is painted once", () => {
    const points = Array.from({ length: 600 }, (_, at): Point => [at * 3, 900 + 800 * Math.sin(at / 20)]);
    const mask = stroked(null, { points, radius: 1000 }, { width: 2000, height: 2000 }, false);
    expect(mask && maskArea(mask)).toBeGreaterThan(3_500_000);
  });
});
