import { expect, it } from "vitest";
import type { Point } from "../geometry/types";
import { toImage, type View } from "../viewer/transform";
import { pinched } from "./touch";

it("keeps what is between two fingers between them, in every orientation", () => {
  const from: [Point, Point] = [
    [100, 100],
    [200, 140],
  ];
  const to: [Point, Point] = [
    [60, 90],
    [260, 170],
  ];
  for (const turn of [0, 1, 2, 3] as const) {
    const view: View = { scale: 0.7, x: 12, y: -30, turn, flip: turn > 1 };
    const after = pinched(view, from, to);
    expect(after.scale).toBeCloseTo(1.4);
    const [x, y] = toImage(view, 1.2, 150, 120);
    const [toX, toY] = toImage(after, 1.2, 160, 130);
    expect([toX, toY]).toEqual([expect.closeTo(x), expect.closeTo(y)]);
  }
});
