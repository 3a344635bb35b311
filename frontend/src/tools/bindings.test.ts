import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Session } from "../state/session";
import { bind, bindings, conflict, isMovable, loadBindings, strokesOf } from "./bindings";
import { KEYMAP, press } from "./keymap";

const kept = new Map<string, string>();
const key = (id: string) => KEYMAP.find((one) => one.id === id) as (typeof KEYMAP)[number];

beforeEach(() => {
  kept.clear();
  bindings.value = {};
  vi.stubGlobal("localStorage", {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
  });
});

describe("a reader's own keys", () => {
  it("do what the first one did, which is free again", () => {
    bind("u1", "tool-box", "x");
    const session = { tool: { value: "select" }, tools: ["select", "box"] } as unknown as Session;
    expect(press(session, { stroke: "r", target: null })).toBe(false);
    expect(press(session, { stroke: "x", target: null })).toBe(true);
    expect(session.tool.value).toBe("box");
    expect(conflict(KEYMAP, "cite", "r")).toBeNull();
    bind("u1", "tool-box", null);
    expect(strokesOf(key("tool-box"))).toEqual(["r"]);
  });

  it("are never another entry's, the browser's or no key at all", () => {
    expect(conflict(KEYMAP, "tool-box", "c")).toContain("cite");
    expect(conflict(KEYMAP, "tool-box", "Ctrl+w")).toContain("browser");
    expect(conflict(KEYMAP, "tool-box", "Shift")).toContain("cannot");
    expect(conflict(KEYMAP, "tool-box", "r")).toBeNull();
    expect(["answer", "overlays", "roi", "label"].filter((id) => isMovable(key(id)))).toEqual([]);
  });

  it("are another reader's own, and outlive the page", () => {
    bind("u1", "tool-box", "x");
    loadBindings("u2", KEYMAP);
    expect(strokesOf(key("tool-box"))).toEqual(["r"]);
    loadBindings("u1", KEYMAP);
    expect(strokesOf(key("tool-box"))).toEqual(["x"]);
  });

  it.each([
    ["no JSON", "{"],
    ["a list", '["tool-box"]'],
    ["null", "null"],
    ["markup", '{"tool-box": "<img src=x onerror=alert(1)>"}'],
    ["a number", '{"tool-box": 7}'],
    ["another's stroke", '{"tool-box": "c"}'],
    ["what cannot be moved", '{"answer": "x", "__proto__": "y", "toString": "z"}'],
  ])("are left alone where the store holds %s", (_what, text) => {
    kept.set("sightline:keys:u1", text);
    loadBindings("u1", KEYMAP);
    expect(bindings.value).toEqual({});
  });

  it("are taken one by one: of two entries with one stroke the first has it", () => {
    kept.set("sightline:keys:u1", '{"tool-box": "x", "cite": "x"}');
    loadBindings("u1", KEYMAP);
    expect(bindings.value).toEqual({ "tool-box": "x" });
  });
});
