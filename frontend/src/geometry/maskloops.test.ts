import { describe, expect, it } from "vitest";
import { maskLoops, maskPath, maskPolygons } from "./maskloops";
import { polygonArea } from "./polygon";

const of = (rows: string[]) => {
  const [height, width] = [rows.length, rows[0]?.length ?? 0];
  const counts: number[] = [];
  let [isIn, run] = [false, 0];
  for (let x = 0; x < width; x += 1)
    for (let y = 0; y < height; y += 1) {
      if ((rows[y]?.[x] === "#") !== isIn) {
        counts.push(run);
        [isIn, run] = [!isIn, 0];
      }
      run += 1;
    }
  return { size: [height, width] as [number, number], counts: [...counts, run] };
};

describe("a mask's outline", () => {
  it("goes along the pixels' edges, the image's own frame too", () => {
    expect(maskPath(of([".#.", "..."]))).toBe("M1 0L2 0L2 1L1 1Z");
    expect(maskPath(of(["###", "###"]))).toBe("M0 0L3 0L3 2L0 2Z");
    expect(maskPath(of(["...", "..."]))).toBe("");
  });

  it("is found once", () => {
    const mask = of([".#.", "..."]);
    expect(maskLoops(mask)).toBe(maskLoops(mask));
  });

  it("has a loop for each piece and each hole; pieces that meet in a corner stay apart", () => {
    expect(maskLoops(of(["###", "#.#", "###"]))).toHaveLength(2);
    expect(maskLoops(of(["#.", ".#"]))).toEqual([
      [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
      ],
      [
        [1, 1],
        [2, 1],
        [2, 2],
        [1, 2],
      ],
    ]);
  });

  it("becomes polygons, the largest first, holes filled", () => {
    const found = maskPolygons(of(["#....", ".....", "..###", "..#.#", "..###"]), 0.1);
    expect(found.map(polygonArea)).toEqual([9, 1]);
  });

  it("loses steps that lie near the line between its corners", () => {
    const stairs = of(["#.......", "##......", "###.....", "####....", "#####...", "######..", "#######.", "########"]);
    const [fine] = maskPolygons(stairs, 0.1);
    const [rough] = maskPolygons(stairs, 1);
    expect(fine?.points.length).toBe(18);
    expect(rough?.points.length).toBeLessThan(7);
    expect(Math.abs(polygonArea(rough ?? { points: [] }) - 36)).toBeLessThan(6);
  });
});
