import type { MaskGeometry } from "../api/types";
import type { Bounds } from "./types";

/** COCO's compressed string: six bits a character, least group first, the fifth bit for more, from the third run on as a difference. */
export function decodeCounts(text: string): number[] {
  const counts: number[] = [];
  let at = 0;
  while (at < text.length) {
    let value = 0;
    let shift = 0;
    let more = true;
    while (more) {
      const bits = text.charCodeAt(at) - 48;
      at += 1;
      value |= (bits & 0x1f) << shift;
      shift += 5;
      more = (bits & 0x20) !== 0;
      if (!more && (bits & 0x10) !== 0) value |= -1 << shift;
    }
    if (counts.length > 2) value += counts[counts.length - 2] ?? 0;
    counts.push(value);
  }
  return counts;
}

/** The other way about, as `decodeCounts` reads it and as the server writes it. */
export function encodeCounts(counts: readonly number[]): string {
  return counts
    .map((count, at) => {
      let value = at > 2 ? count - (counts[at - 2] ?? 0) : count;
      let text = "";
      let more = true;
      while (more) {
        const bits = value & 0x1f;
        value >>= 5;
        more = value !== (bits & 0x10 ? -1 : 0);
        text += String.fromCharCode((more ? bits | 0x20 : bits) + 48);
      }
      return text;
    })
    .join("");
}

/** One byte a pixel, row by row, to runs down the columns. */
export function encodeMask(mask: Uint8Array, width: number, height: number): MaskGeometry {
  const counts: number[] = [];
  let [before, begun] = [0, 0];
  for (let x = 0; x < width; x += 1) {
    for (let y = 0; y < height; y += 1) {
      const value = mask[y * width + x] as number;
      if (value === before) continue;
      const at = x * height + y;
      counts.push(at - begun);
      [before, begun] = [value, at];
    }
  }
  counts.push(width * height - begun);
  return { size: [height, width], counts: encodeCounts(counts) };
}

/** Runs down the columns, beginning with background, to one byte a pixel, row by row. */
export function decodeMask({ size: [height, width], counts }: MaskGeometry): Uint8Array {
  const mask = new Uint8Array(height * width);
  const runs = typeof counts === "string" ? decodeCounts(counts) : counts;
  let at = 0;
  runs.forEach((run, index) => {
    if (index % 2 === 1) {
      for (let k = at; k < at + run; k += 1) mask[(k % height) * width + Math.floor(k / height)] = 1;
    }
    at += run;
  });
  return mask;
}

/** Where each stretch of set pixels begins and ends, counted down the columns. */
function* stretches({ counts }: MaskGeometry): Generator<[number, number]> {
  const runs = typeof counts === "string" ? decodeCounts(counts) : counts;
  let at = 0;
  for (const [index, run] of runs.entries()) {
    if (index % 2 === 1 && run) yield [at, at + run];
    at += run;
  }
}

export function maskArea(mask: MaskGeometry): number {
  let area = 0;
  for (const [start, end] of stretches(mask)) area += end - start;
  return area;
}

export function maskBounds(mask: MaskGeometry): Bounds {
  const [height, width] = mask.size;
  let [x0, y0, x1, y1] = [width, height, 0, 0];
  for (const [start, end] of stretches(mask)) {
    const [first, last] = [Math.floor(start / height), Math.floor((end - 1) / height)];
    x0 = Math.min(x0, first);
    x1 = Math.max(x1, last + 1);
    y0 = first === last ? Math.min(y0, start % height) : 0;
    y1 = first === last ? Math.max(y1, ((end - 1) % height) + 1) : height;
  }
  return x1 > x0 ? [x0, y0, x1, y1] : [0, 0, 0, 0];
}

export function maskContains(mask: MaskGeometry, x: number, y: number): boolean {
  const [height, width] = mask.size;
  const [column, row] = [Math.floor(x), Math.floor(y)];
  if (column < 0 || row < 0 || column >= width || row >= height) return false;
  const at = column * height + row;
  for (const [start, end] of stretches(mask)) {
    if (at < end) return at >= start;
  }
  return false;
}
