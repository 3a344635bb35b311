import { describe, expect, it } from "vitest";
import {
  centreOf,
  fitted,
  matrixOf,
  type Orientation,
  pan,
  pixelAspect,
  resized,
  toImage,
  toScreen,
  turned,
  type View,
  zoomAt,
} from "./transform";

const ORIENTATIONS = ([0, 1, 2, 3] as const).flatMap((turn) => [
  { turn, flip: false },
  { turn, flip: true },
]) satisfies Orientation[];

/** A small generator with a seed: the same numbers on every machine. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const upright: View = { scale: 2, x: 10, y: -6, turn: 0, flip: false };

describe("screen and image", () => {
  it("goes there and back in every orientation, at any zoom, place and shape of pixel", () => {
    const next = numbers(7);
    for (let trial = 0; trial < 2000; trial += 1) {
      const orientation = ORIENTATIONS[trial % 8] as Orientation;
      const view = { scale: 0.02 * 3200 ** next(), x: next() * 4000 - 2000, y: next() * 4000 - 2000, ...orientation };
      const aspect = 0.25 + 4 * next();
      const [x, y] = [next() * 5000, next() * 5000];
      const back = toImage(view, aspect, ...toScreen(view, aspect, x, y));
      // To a thousandth of a pixel, which is what is stored.
      expect(Math.abs(back[0] - x)).toBeLessThan(5e-4);
      expect(Math.abs(back[1] - y)).toBeLessThan(5e-4);
    }
  });

  it("goes by the aspect of the pixels", () => {
    expect(toScreen(upright, 1.5, 4, 4)).toEqual([18, 6]);
    expect(toImage(upright, 1.5, 18, 6)).toEqual([4, 4]);
    expect(pixelAspect([0.9, 0.6])).toBeCloseTo(1.5);
    expect(pixelAspect(null)).toBe(1);
    expect(pixelAspect([0, 1])).toBe(1);
  });

  it("fits the longer side and centres the other, also when the image lies on its side", () => {
    const plain = { turn: 0, flip: false };
    const [wide, box] = [
      { width: 100, height: 50 },
      { width: 200, height: 200 },
    ];
    expect(fitted(wide, 1, box)).toEqual({ scale: 2, x: 0, y: 50, ...plain });
    expect(fitted(wide, 4, box)).toEqual({ scale: 1, x: 50, y: 0, ...plain });
    for (const orientation of ORIENTATIONS) {
      const view = fitted(wide, 1, { width: 60, height: 200 }, orientation);
      expect(view.scale).toBe(orientation.turn % 2 ? 1.2 : 0.6);
      expect(toScreen(view, 1, 50, 25)).toEqual([30, 100]);
    }
  });

  it("zooms about the pointer", () => {
    for (const orientation of ORIENTATIONS) {
      const view = { ...upright, ...orientation };
      const before = toImage(view, 1.3, 30, 40);
      const after = toImage(zoomAt(view, 3, 30, 40), 1.3, 30, 40);
      expect(after[0]).toBeCloseTo(before[0]);
      expect(after[1]).toBeCloseTo(before[1]);
    }
    expect(zoomAt(upright, 1e9, 0, 0).scale).toBe(64);
  });

  it("keeps the centre when a cell changes its size", () => {
    const from = { width: 200, height: 100 };
    const to = { width: 100, height: 100 };
    expect(centreOf(resized(upright, from, to), 1, to)).toEqual(centreOf(upright, 1, from));
  });
});

describe("turning and mirroring", () => {
  const seen = (orientation: Orientation, x: number, y: number): [number, number] =>
    toScreen({ scale: 1, x: 0, y: 0, ...orientation }, 1, x, y);

  it("does what the hand asks for, as seen, in every orientation", () => {
    for (const from of ORIENTATIONS) {
      const [x, y] = seen(from, 3, 5);
      expect(seen(turned(from, "horizontal"), 3, 5)).toEqual([-x, y]);
      expect(seen(turned(from, "vertical"), 3, 5)).toEqual([x, -y]);
      expect(seen(turned(from, "right"), 3, 5)).toEqual([-y, x]);
      expect(seen(turned(from, "left"), 3, 5)).toEqual([y, -x]);
    }
  });

  it("comes back: two mirrors, four quarters, a quarter each way", () => {
    for (const from of ORIENTATIONS) {
      expect(turned(turned(from, "horizontal"), "horizontal")).toEqual(from);
      expect(turned(turned(from, "vertical"), "vertical")).toEqual(from);
      expect(turned(turned(from, "right"), "left")).toEqual(from);
      expect((["right", "right", "right", "right"] as const).reduce(turned, from)).toEqual(from);
    }
  });

  it("pans as the pointer goes, whatever the orientation", () => {
    for (const orientation of ORIENTATIONS) {
      const view = { ...upright, ...orientation };
      const [x, y] = toScreen(view, 1, 7, 9);
      expect(toScreen(pan(view, 4, -3), 1, 7, 9)).toEqual([x + 4, y - 3]);
      expect(matrixOf(view, 1).slice(4)).toEqual([10, -6]);
    }
  });
});
