import { describe, expect, it } from "vitest";
import type { Score } from "./data";
import { standing } from "./standing";

const score = (given: Partial<Score> & { revision?: number }): Score =>
  ({
    metric: "auroc",
    layer: 0,
    value: 0.5,
    is_stale: false,
    is_replaced: false,
    target: { kind: "gold", id: "g", revision: given.revision ?? 1 },
    ...given,
  }) as Score;

describe("which number stands", () => {
  it("is the one that says what it would say now", () => {
    const stale = score({ value: 0.1, is_stale: true, revision: 1 });
    const fresh = score({ value: 0.9, revision: 2 });
    expect(standing([stale, fresh])).toEqual([fresh]);
    expect(standing([fresh, stale])).toEqual([fresh]);
  });

  it("is the newest stale one while nothing has replaced it", () => {
    const older = score({ value: 0.1, is_stale: true, revision: 1 });
    const newer = score({ value: 0.2, is_stale: true, revision: 2 });
    expect(standing([older, newer]).map((row) => row.value)).toEqual([0.2]);
  });

  it("is none where the region went away", () => {
    expect(standing([score({ is_stale: true, is_replaced: true })])).toEqual([]);
  });

  it("is one a metric and layer", () => {
    expect(standing([score({ layer: 0 }), score({ layer: 1 }), score({ metric: "kl" })])).toHaveLength(3);
  });
});
