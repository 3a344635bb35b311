import { expect, it } from "vitest";
import type { ImageInfo } from "../api/types";
import { lengthText } from "./measure";

const line = { points: [[0, 0] as [number, number], [3, 4] as [number, number], [3, 16] as [number, number]] };
const image = (spacing_mm: [number, number] | null, spacing_source = "PixelSpacing") =>
  ({ spacing_mm, spacing_source }) as ImageInfo;

it("measures a line in millimetres of the body, else in pixels", () => {
  expect(lengthText(line, image([0.5, 0.5]))).toBe("8.5\u00a0mm");
  expect(lengthText(line, image([2, 0.5]))).toBe("32.1\u00a0mm");
  expect(lengthText(line, image([0.5, 0.5], "ImagerPixelSpacing"))).toBe("17\u00a0px");
  expect(lengthText(line, null)).toBe("17\u00a0px");
});
