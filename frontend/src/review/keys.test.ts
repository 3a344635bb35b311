// @vitest-environment happy-dom
import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { board } from "./board";
import type { ReviewPage } from "./data";
import { OTHER_KEYS, REVIEW_KEYMAP, reviewKey } from "./keys";
import { page } from "./state";
import { showsDifference, showsKeys } from "./view";

function press(key: string, target: EventTarget = document.body): boolean {
  return reviewKey(board, { key, code: "", target } as KeyboardEvent);
}

beforeEach(() => {
  page.value = { case: { id: "c", images: [] }, user: { id: "u" }, protocol: { labels: [] } } as unknown as ReviewPage;
  board.open();
  board.isInHand.value = true;
});

afterEach(() => {
  showsKeys.value = false;
  showsDifference.value = false;
});

describe("the keys of a review", () => {
  it("are listed by ?, wherever the hand is but in a text", () => {
    expect(press("?", document.createElement("textarea"))).toBe(false);
    expect(showsKeys.value).toBe(false);
    board.isInHand.value = false;
    expect(press("?")).toBe(true);
    expect(showsKeys.value).toBe(true);
  });

  it("have each entry once, and the reading page's others beside them", () => {
    const ids = [...REVIEW_KEYMAP, ...OTHER_KEYS].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(OTHER_KEYS.map(({ id }) => id)).toEqual(["cite", "answer", "submit", "leave"]);
    const shared = REVIEW_KEYMAP.filter(({ id }) => id !== "nudge" && !id.startsWith("polygon-"));
    const strokes = shared.flatMap((key) => key.strokes);
    expect(strokes.filter((stroke, at) => strokes.indexOf(stroke) !== at)).toEqual([]);
  });

  it("show maps while the hand is on the images, and take no tool that draws without a review", () => {
    press("d");
    expect(showsDifference.value).toBe(true);
    press("b");
    expect(board.tool.value).toBe("select");
    board.isInHand.value = false;
    expect(press("d")).toBe(false);
    expect(showsDifference.value).toBe(true);
  });
});
