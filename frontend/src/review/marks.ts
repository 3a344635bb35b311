// The outline of a mask as an SVG path, pixel edge by pixel edge.
import type { MaskGeometry } from "../api/types";
import { decodeMask } from "../geometry/mask";

const known = new WeakMap<object, string>();

/** Every edge between a pixel inside and one outside, straight runs joined; empty for an empty mask. */
export function maskPath(geometry: MaskGeometry): string {
  const found = known.get(geometry);
  if (found !== undefined) return found;
  const path = edgesOf(geometry);
  known.set(geometry, path);
  return path;
}

function edgesOf(geometry: MaskGeometry): string {
  const [height, width] = geometry.size;
  const mask = decodeMask(geometry);
  const at = (x: number, y: number): number =>
    x < 0 || y < 0 || x >= width || y >= height ? 0 : (mask[y * width + x] ?? 0);
  const parts = [
    ...runs(height + 1, width, (line, step) => at(step, line) !== at(step, line - 1)).map(
      ([line, from, to]) => `M${from} ${line}H${to}`,
    ),
    ...runs(width + 1, height, (line, step) => at(line, step) !== at(line - 1, step)).map(
      ([line, from, to]) => `M${line} ${from}V${to}`,
    ),
  ];
  return parts.join("");
}

function runs(
  lines: number,
  steps: number,
  isEdge: (line: number, step: number) => boolean,
): [number, number, number][] {
  const found: [number, number, number][] = [];
  for (let line = 0; line < lines; line += 1) {
    let from = -1;
    for (let step = 0; step <= steps; step += 1) {
      const edge = step < steps && isEdge(line, step);
      if (edge && from < 0) from = step;
      if (!edge && from >= 0) {
        found.push([line, from, step]);
        from = -1;
      }
    }
  }
  return found;
}
