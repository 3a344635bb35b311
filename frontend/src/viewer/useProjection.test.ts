import { expect, it } from "vitest";
import { pan, toScreen, type View, zoomAt } from "./transform";
import { shiftBetween } from "./useProjection";

it("moves what was painted to where it would be painted now", () => {
  const painted: View = { scale: 0.8, x: 30, y: -12, turn: 3, flip: true };
  const now = pan(zoomAt(painted, 1.7, 90, 40), 25, -60);
  const [, x, y, factor] = /translate\((.*)px, (.*)px\) scale\((.*)\)/.exec(shiftBetween(painted, now)) ?? [];
  const [fromX, fromY] = toScreen(painted, 1.3, 40, 70);
  const [toX, toY] = toScreen(now, 1.3, 40, 70);
  expect(Number(factor) * fromX + Number(x)).toBeCloseTo(toX);
  expect(Number(factor) * fromY + Number(y)).toBeCloseTo(toY);
  expect(shiftBetween(now, now)).toBe("none");
});
