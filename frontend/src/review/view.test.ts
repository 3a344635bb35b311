import { describe, expect, it } from "vitest";
import { voteWords } from "./Answers";
import { framesDrawn, styleOf } from "./view";

describe("looks", () => {
  it("gives eight readers eight pairs of colour and line, then begins again", () => {
    expect([1, 2, 8, 9].map((number) => styleOf({ number }))).toEqual([1, 2, 8, 1]);
  });

  it("names the frames of an image on which there is something, each once and in order", () => {
    const rois = [9, 3, 9].map((frame) => ({ image: 2, frame }));
    expect(framesDrawn([...rois, { image: 1, frame: 5 }], 2)).toEqual([3, 9]);
    expect(framesDrawn(rois, 3)).toEqual([]);
  });

  it("says of a majority how many of how many", () => {
    const votes = { n: 3, votes: { C: 1, D: 2 }, shares: {}, vote_entropy_bits: null, dawid_skene: null };
    expect(voteWords({ ...votes, majority: "D", is_tie: false })).toBe("Majority: D, 2 of 3 votes.");
    expect(voteWords({ ...votes, n: 2, majority: null, is_tie: true })).toBe("The vote is tied, 2 votes.");
  });
});
