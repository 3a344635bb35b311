// A grid of values as a picture, in the heat colours of the theme.
import { cellPixels, parseHex } from "./heat";

const RAMP_STEPS = 9;

function ramp() {
  const style = getComputedStyle(document.documentElement);
  return Array.from({ length: RAMP_STEPS }, (_, step) => parseHex(style.getPropertyValue(`--heat-${step}`)));
}

/** A picture with one pixel a cell, as a data address. */
export function heatPicture(values: number[][]): string {
  const canvas = document.createElement("canvas");
  canvas.height = values.length;
  canvas.width = values[0]?.length ?? 0;
  const context = canvas.getContext("2d");
  if (!context || canvas.width === 0) return "";
  const pixels = context.createImageData(canvas.width, canvas.height);
  pixels.data.set(cellPixels(values, ramp()));
  context.putImageData(pixels, 0, 0);
  return canvas.toDataURL("image/png");
}
