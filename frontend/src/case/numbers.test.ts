import { describe, expect, it } from "vitest";
import type { Score } from "./data";
import { judge, whyNone, written } from "./numbers";

const nulls = { centre: 1.7, moved: { median: 1, p95: 2.1, n: 200 }, other_finding: null };

describe("written", () => {
  it("writes two decimals, three below 0.1, and a true minus", () => {
    expect(written(1.176)).toBe("1.18");
    expect(written(0.0157)).toBe("0.016");
    expect(written(-0.5)).toBe("−0.50");
    expect(written(0)).toBe("0.00");
    expect(written(-0.0001)).toBe("0.000");
  });
  it("never makes up a zero", () => {
    expect(written(null)).toBe("–");
    expect(written(Number.NaN)).toBe("–");
  });
});

describe("judge", () => {
  it("asks for more than the moved region's 95th percentile", () => {
    expect(judge(2.1, nulls).verdict).toBe("not grounded");
    expect(judge(2.2, nulls)).toEqual({ verdict: "grounded", words: "2.20× is above every null" });
  });
  it("asks for more than a centre map and another finding", () => {
    expect(judge(2.2, { ...nulls, centre: 2.5 }).words).toContain("plain centre map, 2.50×");
    expect(judge(2.2, { ...nulls, other_finding: 2.3 }).words).toContain("another finding, 2.30×");
  });
  it("says undefined where there is nothing to compare with", () => {
    expect(judge(null, nulls).verdict).toBe("undefined");
    expect(judge(5, { centre: null, moved: null, other_finding: null }).verdict).toBe("undefined");
  });
});

describe("whyNone", () => {
  const score = { metric: "attention_ratio", value: null, unavailable: "frame_not_shown" } as Score;
  it("tells a frame that was not shown from an image without a region", () => {
    expect(whyNone(score, true)).toBe("The model was not shown this frame.");
    expect(whyNone({ ...score, value: 1.5, unavailable: null }, true)).toBe("");
    expect(whyNone(null, false)).toContain("drew no region");
    expect(whyNone(null, true)).toBe("Not scored yet.");
  });
});
