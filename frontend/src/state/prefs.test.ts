import { beforeEach, describe, expect, it, vi } from "vitest";
import { remember, rememberedFlag, rememberedNumber } from "./prefs";

const kept = new Map<string, string>();

beforeEach(() => {
  kept.clear();
  vi.stubGlobal("localStorage", {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
  });
});

describe("small choices", () => {
  it("are kept for each reader", () => {
    remember("u1", "panel-width", 420);
    remember("u1", "panel", false);
    expect(rememberedNumber("u1", "panel-width", 300, 720)).toBe(420);
    expect(rememberedNumber("u2", "panel-width", 300, 720)).toBeNull();
    expect(rememberedFlag("u1", "panel", true)).toBe(false);
    expect(rememberedFlag("u2", "panel", true)).toBe(true);
  });

  it.each(["{", '"wide"', "1e9", "0", "null", "[420]"])("are as never made where the store holds %s", (text) => {
    kept.set("sightline:panel-width:u1", text);
    kept.set("sightline:panel:u1", text);
    expect(rememberedNumber("u1", "panel-width", 300, 720)).toBeNull();
    expect(rememberedFlag("u1", "panel", true)).toBe(true);
  });

  it("cost nothing where a browser keeps nothing", () => {
    vi.stubGlobal("localStorage", {
      getItem: () => {
        throw new Error("denied");
      },
      setItem: () => {
        throw new Error("denied");
      },
    });
    remember("u1", "panel", false);
    expect(rememberedFlag("u1", "panel", true)).toBe(true);
  });
});
