import { afterEach, expect, it, vi } from "vitest";
import type { ImageInfo } from "../api/types";
import { FrameCache } from "./frames";

const image = { sha256: "a", width: 1, height: 1, channels: 1, frames: 20, dtype: "uint8" } as ImageInfo;

afterEach(() => vi.unstubAllGlobals());

it("asks for the frame that is looked at before those asked for in advance", async () => {
  const asked: number[] = [];
  const answer: (() => void)[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(Number(url.split("/").at(-2)));
    return new Promise((resolve) => {
      answer.push(() => resolve(new Response(new Uint8Array([7]), { headers: { "X-Dtype": "uint8" } })));
    });
  });
  const cache = new FrameCache("/api/v1/");
  cache.prefetch(image, 0, 10);
  const shown = cache.load(image, 9);
  const other = cache.load(image, 15);
  await vi.waitFor(() => expect(asked).toEqual([0, 1, 2, 3]));
  answer.shift()?.();
  answer.shift()?.();
  await vi.waitFor(() => expect(asked).toEqual([0, 1, 2, 3, 15, 9]));
  for (const go of answer) go();
  expect((await shown).samples[0]).toBe(7);
  expect((await other).samples[0]).toBe(7);
});
