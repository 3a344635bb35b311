import { describe, expect, it } from "vitest";
import { styleOf } from "./view";

describe("looks", () => {
  it("gives eight readers eight pairs of colour and line, then begins again", () => {
    expect([1, 2, 8, 9].map((number) => styleOf({ number }))).toEqual([1, 2, 8, 1]);
  });
});
