import { describe, expect, it } from "vitest";
import type { ImageInfo } from "../api/types";
import { frameAt } from "./cine";
import { frameOf } from "./frames";
import { fillCells, layoutOf, suitedTo } from "./layout";
import { dragged, firstWindow, shown, table, type Windowing } from "./lut";
import { paint } from "./paint";

const linear = (centre: number, width: number, invert = false): Windowing => ({
  centre,
  width,
  invert,
  function: "LINEAR",
  name: "",
});
const CT = { slope: 1, intercept: -1024, photometric: "MONOCHROME2" };

describe("window and level on the stored range", () => {
  it("follows DICOM's LINEAR: at the centre less one half it is middle grey", () => {
    expect(shown(39.5, linear(40, 400))).toBeCloseTo(127.5);
    expect(shown(39.5 - 199.5, linear(40, 400))).toBe(0);
    expect(shown(39.5 + 199.5, linear(40, 400))).toBe(255);
    expect(shown(10, { ...linear(10, 4), function: "SIGMOID" })).toBe(127.5);
    expect(shown(12, { ...linear(10, 4), function: "LINEAR_EXACT" })).toBe(255);
    expect([shown(4, linear(5, 1)), shown(5, linear(5, 1))]).toEqual([0, 255]);
  });

  it("applies slope and intercept first: air is black and bone is white through a brain window", () => {
    const greys = table(0, 4095, CT, linear(40, 80));
    expect([greys[24], greys[1024 + 40], greys[1024 + 400]]).toEqual([0, 129, 255]);
  });

  it("reads signed samples and turns MONOCHROME1 over, once more when the reader inverts", () => {
    const exact = { ...linear(0, 200), function: "LINEAR_EXACT" };
    const plain = { slope: 1, intercept: 0, photometric: "MONOCHROME2" };
    expect([...table(-100, 100, plain, exact)].filter((_, i) => i % 100 === 0)).toEqual([0, 128, 255]);
    const mono1 = { ...plain, photometric: "MONOCHROME1" };
    expect([...table(-100, 100, mono1, exact)].filter((_, i) => i % 100 === 0)).toEqual([255, 128, 0]);
    expect(table(-100, 100, mono1, { ...exact, invert: true })[0]).toBe(0);
  });

  it("starts with the file's window, else with the whole range", () => {
    expect(firstWindow([{ centre: 40, width: 80, explanation: "BRAIN" }], CT, [0, 9])).toMatchObject({
      centre: 40,
      width: 80,
      name: "BRAIN",
      function: "LINEAR",
    });
    expect(firstWindow([], CT, [1014, 1054])).toMatchObject({ centre: 10, width: 40, function: "LINEAR_EXACT" });
    expect(firstWindow([], CT, [7, 7]).width).toBe(1);
  });

  it("looks values up in the file's own table, ends held, until a window is dragged", () => {
    const own = { first: 10, bits: 8, explanation: "", values: [0, 51, 255] };
    const plain = { slope: 1, intercept: 0, photometric: "MONOCHROME2" };
    const windowing = firstWindow([], plain, [9, 13], [own]);
    expect([...table(9, 13, plain, windowing)]).toEqual([0, 0, 51, 255, 255]);
    expect(dragged(windowing, 1, 0, 4).table).toBeUndefined();
  });

  it("never drags the width to nothing", () => {
    expect(dragged(linear(0, 10), -1000, 0, 4096).width).toBe(1);
    expect(dragged(linear(0, 600), 0, 5, 600).centre).toBe(5);
  });
});

describe("painting", () => {
  const image = { width: 2, height: 2, channels: 1, dtype: "int16" } as ImageInfo;
  const exact = { ...linear(0, 4), function: "LINEAR_EXACT" };
  const plain = { slope: 1, intercept: 0, photometric: "MONOCHROME2" };

  it("puts every stored pixel where it belongs", () => {
    const frame = frameOf(Int16Array.from([-2, 0, 2, 5]).buffer, image);
    const out = new Uint32Array(4);
    expect(paint(frame, plain, exact, out)).toEqual([2, 2]);
    expect([...out].map((value) => value & 255)).toEqual([0, 128, 255, 255]);
    expect(paint(frame, plain, exact, out, 2)).toEqual([1, 1]);
  });

  it("keeps the order of colours", () => {
    const frame = frameOf(Uint8Array.from([10, 20, 30]).buffer, {
      ...image,
      width: 1,
      height: 1,
      channels: 3,
      dtype: "uint8",
    });
    const out = new Uint32Array(1);
    paint(frame, plain, { ...linear(127.5, 255), function: "LINEAR_EXACT" }, out);
    expect([...new Uint8Array(out.buffer)]).toEqual([10, 20, 30, 255]);
  });

  it("refuses a frame of another size and a type it does not know", () => {
    expect(() => frameOf(new ArrayBuffer(6), image)).toThrow("3 samples came for 4");
    expect(() => frameOf(new ArrayBuffer(8), image, "float64")).toThrow("float64");
  });
});

describe("layout and cine", () => {
  it("keeps what is shown and fills with what is not", () => {
    expect(fillCells([3], layoutOf("2x2"), [1, 2, 3])).toEqual([3, 1, 2, null]);
    expect(fillCells([3, 1, 2, null], layoutOf("1x1"), [1, 2, 3])).toEqual([3]);
    expect([1, 2, 3, 9].map(suitedTo)).toEqual(["1x1", "1x2", "2x2", "2x2"]);
  });

  it("goes by the clock and drops frames", () => {
    expect(frameAt(0, 0, 33, 30)).toBe(0);
    expect(frameAt(28, 100, 33, 30)).toBe(1);
    expect(frameAt(0, 500, null, 30)).toBe(10);
  });
});
