import { describe, expect, it } from "vitest";
import type { ImageInfo } from "../api/types";
import { followView, followWindow, isLinkedAtFirst, type Shown } from "./linked";
import { centreOf, fitted, pan, pixelAspect, type View, zoomAt } from "./transform";

const image = (width: number, height: number, spacing_mm: [number, number] | null = null, modality = "CT") =>
  ({ width, height, spacing_mm, modality }) as ImageInfo;
const box = { width: 300, height: 200 };

function shown(one: ImageInfo, turn: View["turn"] = 0, flip = false): Shown {
  return { image: one, box, view: fitted(one, pixelAspect(one.spacing_mm), box, { turn, flip }) };
}

describe("linked views", () => {
  it("shows the same part of images of one size, also after a zoom at the pointer and a pan", () => {
    const [leader, other] = [shown(image(512, 400)), shown(image(512, 400))];
    const after = pan(zoomAt(leader.view, 2.5, 40, 170), 11, -7);
    const followed = followView(other, leader, after, false);
    expect(followed.scale).toBeCloseTo(after.scale);
    expect(followed.x).toBeCloseTo(after.x);
    expect(followed.y).toBeCloseTo(after.y);
  });

  it("goes by parts of the image where sizes differ, and by anatomy where one is turned", () => {
    const leader = shown(image(512, 400));
    const other = shown(image(1024, 100), 1, true);
    const after = pan(zoomAt(leader.view, 2, 0, 0), -30, 12);
    const moved = centreOf(after, 1, box).map((to, axis) => to - (centreOf(leader.view, 1, box)[axis] as number));
    const followed = centreOf(followView(other, leader, after, false), 1, box);
    const from = centreOf(other.view, 1, box);
    expect(followed[0] - from[0]).toBeCloseTo((moved[0] as number) * 2);
    expect(followed[1] - from[1]).toBeCloseTo((moved[1] as number) / 4);
  });

  it("goes by millimetres where both have them, pixels of any shape", () => {
    const leader = shown(image(512, 512, [0.5, 0.5]));
    const other = shown(image(256, 128, [2, 1]));
    const after = pan(leader.view, -10, -10);
    const by = 10 / leader.view.scale / 2;
    const from = centreOf(other.view, 2, box);
    const followed = centreOf(followView(other, leader, after, true), 2, box);
    expect(followed[0] - from[0]).toBeCloseTo(by);
    expect(followed[1] - from[1]).toBeCloseTo(by / 2);
  });

  it("begins linked only with several images of one known kind", () => {
    expect(isLinkedAtFirst([image(1, 1), image(2, 2)])).toBe(true);
    expect(isLinkedAtFirst([image(1, 1)])).toBe(false);
    expect(isLinkedAtFirst([image(1, 1), image(1, 1, null, "US")])).toBe(false);
    expect(isLinkedAtFirst([image(1, 1, null, ""), image(1, 1, null, "")])).toBe(false);
  });
});

describe("linked windows", () => {
  const linear = (centre: number, width: number, invert = false) => ({
    centre,
    width,
    invert,
    function: "LINEAR",
    name: "",
  });

  it("is one window in Hounsfield units, and else a like change of each range", () => {
    const after = linear(40, 80);
    const ct = { image: image(1, 1), windowing: linear(0, 400), range: 4000 };
    expect(followWindow({ ...ct, windowing: linear(9, 9) }, ct, after)).toEqual(after);
    const us = { image: image(1, 1, null, "US"), windowing: linear(100, 200), range: 255 };
    expect(followWindow(us, { ...ct, image: us.image }, linear(400, 200))).toMatchObject({ centre: 125.5, width: 100 });
  });

  it("hands on an inversion alone", () => {
    const us = { image: image(1, 1, null, "US"), windowing: linear(100, 200), range: 255 };
    expect(followWindow(us, { ...us, windowing: linear(3, 9) }, linear(3, 9, true))).toEqual(linear(100, 200, true));
  });
});
