import type { ImageInfo } from "../api/types";
import type { Windowing } from "./lut";
import { centredOn, centreOf, pixelAspect, type Size, type View } from "./transform";

/** What one viewport shows of its image, as far as others follow it. */
export interface Shown {
  image: ImageInfo;
  view: View;
  box: Size;
}

/** A length on the image in what two images share: millimetres where both have them, else parts of the image. */
function unit(image: ImageInfo, inMm: boolean): [number, number] {
  return inMm && image.spacing_mm ? [image.spacing_mm[1], image.spacing_mm[0]] : [1 / image.width, 1 / image.height];
}

/**
 * The view of a linked viewport after another one went from `before` to `after`: the same factor of zoom, and the same
 * way over the image. Only changes are handed on, so that linking itself moves nothing.
 */
export function followView(other: Shown, leader: Shown, after: View, inMm: boolean): View {
  const before = centreOf(leader.view, pixelAspect(leader.image.spacing_mm), leader.box);
  const now = centreOf(after, pixelAspect(leader.image.spacing_mm), leader.box);
  const [ux, uy] = unit(leader.image, inMm);
  const [vx, vy] = unit(other.image, inMm);
  const aspect = pixelAspect(other.image.spacing_mm);
  const [x, y] = centreOf(other.view, aspect, other.box);
  const point = [x + ((now[0] - before[0]) * ux) / vx, y + ((now[1] - before[1]) * uy) / vy] as const;
  const scale = other.view.scale * (after.scale / leader.view.scale);
  return centredOn({ ...other.view, scale }, aspect, point, other.box);
}

/** Whether one number means the same in both: Hounsfield units of computed tomography. */
function sharesUnits(a: ImageInfo, b: ImageInfo): boolean {
  return a.modality === "CT" && b.modality === "CT";
}

export interface Windowed {
  image: ImageInfo;
  windowing: Windowing;
  /** How far the stored values go, in output units. */
  range: number;
}

/** The window of a linked viewport: the very same where units agree, else changed by the same part of its own range. */
export function followWindow(other: Windowed, leader: Windowed, after: Windowing): Windowing {
  if (sharesUnits(other.image, leader.image)) return after;
  const { centre, width, invert } = leader.windowing;
  const isSame = after.centre === centre && after.width === width && after.table === leader.windowing.table;
  if (isSame) return { ...other.windowing, invert: after.invert !== invert ? after.invert : other.windowing.invert };
  const { table: _left, ...plain } = other.windowing;
  return {
    ...plain,
    invert: after.invert !== invert ? after.invert : plain.invert,
    centre: plain.centre + ((after.centre - centre) / (leader.range || 1)) * other.range,
    width: Math.max(other.range > 4 ? 1 : other.range / 1000, plain.width * (after.width / (width || 1))),
    name: "Linked",
  };
}

/** Linked from the start only where images are of one known kind: else one zoom says nothing of another image. */
export function isLinkedAtFirst(images: readonly ImageInfo[]): boolean {
  const kinds = new Set(images.map((image) => image.modality));
  return images.length > 1 && kinds.size === 1 && !kinds.has("");
}
