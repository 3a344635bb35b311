import { describe, expect, it } from "vitest";
import type { StepRow } from "./data";
import { pieces, saidWords, viewLetter, viewsIn } from "./steprows";

const row = (views: (number | null)[]): StepRow => ({
  steps: views.map((view) => (view === null ? null : 0)),
  views,
  differing: views.map(() => []),
  said_by: views.filter((view) => view !== null).length,
  likeness: null,
  critical: 0,
});

describe("a row of steps", () => {
  it("says how many have one where they say the same, and how they stand to one another else", () => {
    expect(saidWords(row([0, 0, null]), [0, 1, 2])).toBe("2 of 3");
    expect(saidWords(row([null, 0, null]), [0, 1, 2])).toBe("1 of 3");
    expect(saidWords(row([0, 1, 1, null]), [0, 1, 2, 3])).toBe("2 : 1");
    expect(saidWords(row([0, 1, 2]), [0, 1, 2])).toBe("1 : 1 : 1");
    expect(viewsIn(row([0, 1, null, 0]), [0, 1, 2, 3])).toBe(2);
    expect(saidWords({ ...row([0, 0, 1]), said_by: 2 }, [0, 1])).toBe("2 of 2");
    expect(viewsIn(row([0, 0, 1]), [0, 1])).toBe(1);
  });

  it("names what each says only where they differ", () => {
    expect(viewLetter(row([0, 0]), 1)).toBe("");
    expect([0, 1, 2].map((reader) => viewLetter(row([0, 1, null]), reader))).toEqual(["a", "b", ""]);
  });

  it("marks words where the server counts them, whatever a browser counts", () => {
    expect(
      pieces("No left lung", [
        [0, 2],
        [3, 7],
      ]),
    ).toEqual([
      { text: "No", differs: true },
      { text: " ", differs: false },
      { text: "left", differs: true },
      { text: " lung", differs: false },
    ]);
    expect(pieces("𝔸 left", [[2, 6]]).at(-1)).toEqual({ text: "left", differs: true });
    expect(pieces("", [])).toEqual([]);
    expect(pieces("same", [])).toEqual([{ text: "same", differs: false }]);
  });
});
