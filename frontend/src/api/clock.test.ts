import { beforeEach, describe, expect, it, vi } from "vitest";
import { clock } from "../panels/words";
import { raw } from "./client";
import { hearTime, here, serverNow } from "./clock";

const HOUR = 3_600_000;
const TRUE_NOW = Date.parse("2026-11-22T14:00:00Z");

/** A computer whose clock is `off` milliseconds fast, and whose stopwatch shows `watch`. */
function computer(off: number, watch = 1000): void {
  vi.spyOn(Date, "now").mockReturnValue(TRUE_NOW + off);
  vi.spyOn(performance, "now").mockReturnValue(watch);
}

describe("the server's time", () => {
  beforeEach(() => vi.unstubAllGlobals());

  it.each([-3 * HOUR, 0, 3 * HOUR])("is told on a computer whose clock is %i ms off", (off) => {
    computer(off);
    hearTime(TRUE_NOW, 1000, 1000);
    expect(serverNow()).toBe(TRUE_NOW);
    computer(off + 20_000, 21_000);
    expect(serverNow()).toBe(TRUE_NOW + 20_000);
  });

  it("does not move when somebody sets the computer's clock", () => {
    computer(0);
    hearTime(TRUE_NOW, 1000, 1000);
    computer(8 * HOUR, 2000);
    expect(serverNow()).toBe(TRUE_NOW + 1000);
  });

  it("takes half of the way there and back", () => {
    computer(0, 1400);
    hearTime(TRUE_NOW, 1000, 1400);
    expect(serverNow()).toBe(TRUE_NOW + 200);
  });

  it("is taken from the answers to calls, not from images that may lie in a cache", async () => {
    computer(3 * HOUR);
    const date = new Date(TRUE_NOW).toUTCString();
    vi.stubGlobal("document", { cookie: "" });
    vi.stubGlobal("fetch", async () => new Response("{}", { headers: { Date: date } }));
    hearTime(0, 1000, 1000);
    await raw("/image");
    expect(serverNow()).toBe(0);
    await raw("/call", { method: "POST" });
    expect(serverNow()).toBe(TRUE_NOW + 500);
  });

  it("leaves what it knows where an answer names no time", () => {
    computer(0);
    hearTime(TRUE_NOW, 1000, 1000);
    hearTime(Date.parse("never"), 1000, 1000);
    expect(serverNow()).toBe(TRUE_NOW);
  });

  it("is shown as the reader's own clock shows it, wrong as that may be", () => {
    computer(3 * HOUR);
    hearTime(TRUE_NOW, 1000, 1000);
    const until = new Date(TRUE_NOW + 45 * 60_000).toISOString();
    const shown = new Date(TRUE_NOW + 3 * HOUR + 45 * 60_000);
    expect(here(until)).toEqual(shown);
    expect(clock(until)).toBe(clock(shown));
  });
});
