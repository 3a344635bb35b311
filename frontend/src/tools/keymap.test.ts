import { describe, expect, it } from "vitest";
import { KEYMAP, strokeOf } from "./keymap";

const event = (key: string, code = "", held: { ctrl?: boolean; shift?: boolean } = {}) =>
  strokeOf({ key, code, ctrlKey: held.ctrl ?? false, metaKey: false, shiftKey: held.shift ?? false });

describe("the table of keys", () => {
  it("names a stroke the same on every layout", () => {
    expect(event("!", "Digit1", { shift: true })).toBe("Shift+1");
    expect(event("&", "Digit1")).toBe("1");
    expect(event("N", "KeyN", { shift: true })).toBe("Shift+n");
    expect(event("?", "Minus", { shift: true })).toBe("?");
    expect(event("Z", "KeyZ", { ctrl: true, shift: true })).toBe("Ctrl+Shift+z");
    expect(event("ArrowUp", "ArrowUp", { shift: true })).toBe("Shift+ArrowUp");
  });

  it("has each entry once and no stroke twice but where the first may pass it on", () => {
    expect(new Set(KEYMAP.map((key) => key.id)).size).toBe(KEYMAP.length);
    const strokes = KEYMAP.filter((key) => key.id !== "nudge" && !key.id.startsWith("polygon-")).flatMap(
      (key) => key.strokes,
    );
    expect(strokes.filter((stroke, at) => strokes.indexOf(stroke) !== at)).toEqual([]);
  });
});
