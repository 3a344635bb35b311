const DEFAULT_FRAME_MS = 50;

/**
 * The frame to show `elapsed` ms after a cine began at `from`: by the clock, so that a slow machine drops frames rather
 * than slowing down.
 */
export function frameAt(from: number, elapsed: number, frameTimeMs: number | null, frames: number): number {
  const each = frameTimeMs && frameTimeMs > 0 ? frameTimeMs : DEFAULT_FRAME_MS;
  return (from + Math.floor(elapsed / each)) % frames;
}
