import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { follow } from "./live";

class Stream {
  static readonly CLOSED = 2;
  static readonly opened: Stream[] = [];
  readyState = 1;
  onmessage: ((message: { data: string }) => void) | null = null;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  constructor() {
    Stream.opened.push(this);
  }
  close(): void {
    this.readyState = Stream.CLOSED;
  }
}

beforeEach(() => {
  Stream.opened.length = 0;
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", Stream);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("asks once for a burst of events of its own case", () => {
  const changed = vi.fn();
  follow("c1", changed);
  const tell = (event: object): void => Stream.opened[0]?.onmessage?.({ data: JSON.stringify(event) });
  tell({ type: "score.changed", case: "c2" });
  tell({ type: "score.changed", case: "c1" });
  tell({ type: "prediction.changed", case: "c1" });
  vi.advanceTimersByTime(100);
  expect(changed).toHaveBeenCalledTimes(1);
});

it("opens another stream where the browser gave up, and none after it was stopped", () => {
  const changed = vi.fn();
  const stop = follow("c1", changed);
  Stream.opened[0]?.onerror?.();
  vi.advanceTimersByTime(10_000);
  expect(Stream.opened.length).toBe(1);
  Stream.opened[0]?.close();
  Stream.opened[0]?.onerror?.();
  vi.advanceTimersByTime(10_000);
  expect(Stream.opened.length).toBe(2);
  Stream.opened[1]?.onopen?.();
  vi.advanceTimersByTime(100);
  expect(changed).toHaveBeenCalledTimes(1);
  Stream.opened[1]?.close();
  Stream.opened[1]?.onerror?.();
  stop();
  vi.advanceTimersByTime(10_000);
  expect(Stream.opened.length).toBe(2);
});
