import { COLOUR_WINDOW, type Rescale, type Samples, table, type Windowing } from "./lut";

export interface Frame {
  samples: Samples;
  width: number;
  height: number;
  channels: number;
  low: number;
  high: number;
}

const MOST_TABLE = 1 << 20;

/**
 * Fills RGBA pixels from stored samples; `step` 2 takes every second row and column (while dragging on a large image).
 * Returns the painted size.
 */
export function paint(
  frame: Frame,
  rescale: Rescale,
  windowing: Windowing,
  out: Uint32Array,
  step = 1,
): [number, number] {
  const width = Math.ceil(frame.width / step);
  const height = Math.ceil(frame.height / step);
  const grey = frame.channels === 1 ? greys(frame, rescale, windowing) : colours(frame, windowing);
  let at = 0;
  for (let row = 0; row < frame.height; row += step) {
    const start = row * frame.width;
    for (let column = 0; column < frame.width; column += step) {
      out[at] = grey(start + column);
      at += 1;
    }
  }
  return [width, height];
}

// Little-endian RGBA: every machine a browser runs on.
const OPAQUE = 0xff000000;

function greys(frame: Frame, rescale: Rescale, windowing: Windowing): (index: number) => number {
  const { samples, low, high } = frame;
  if (high - low >= MOST_TABLE)
    return (index) =>
      greyOf(table(samples[index] as number, samples[index] as number, rescale, windowing)[0] as number);
  const values = Uint32Array.from(table(low, high, rescale, windowing), greyOf);
  return (index) => values[(samples[index] as number) - low] as number;
}

function greyOf(value: number): number {
  return (OPAQUE | (value << 16) | (value << 8) | value) >>> 0;
}

function colours({ samples, channels }: Frame, windowing: Windowing): (index: number) => number {
  const shift = samples.BYTES_PER_ELEMENT * 8 - 8;
  const own = { slope: 1, intercept: 0, photometric: "RGB" };
  const values = table(0, 255, own, windowing.width > 0 ? windowing : COLOUR_WINDOW);
  const part = (at: number): number => values[(samples[at] as number) >> shift] as number;
  return (index) => {
    const at = index * channels;
    return (OPAQUE | (part(at + 2) << 16) | (part(at + 1) << 8) | part(at)) >>> 0;
  };
}
