// What of the readings is drawn, and which part of which image is on show.
import { computed, signal } from "@preact/signals";
import type { ImageInfo, Label, Roi } from "../api/types";
import type { Place, ReadingSaid } from "./data";
import { consensus, page, readings, shownGold } from "./state";

export const hidden = signal<ReadonlySet<string>>(new Set());
export const showsDifference = signal(false);
export const showsStaple = signal(false);
export const showsGold = signal(true);
export const opacity = signal(0.6);
export const chosen = signal<{ image: number; frame: number } | null>(null);
/** Under the pointer or in focus, by id: everything else steps back. */
export const lit = signal<string | null>(null);

export interface Zoom {
  scale: number;
  x: number;
  y: number;
}
export const WHOLE: Zoom = { scale: 1, x: 0.5, y: 0.5 };
const MOST = 12;
export const zoom = signal<Zoom>(WHOLE);

export const images = computed<ImageInfo[]>(() => page.value?.case.images ?? []);
/** Chosen, else the first place where somebody drew something, else the first image. */
export const place = computed(() => {
  if (chosen.value) return chosen.value;
  const first = readings.value.flatMap((one) => one.content.rois)[0] ?? shownGold.value.rois[0];
  return first ? { image: first.image, frame: first.frame } : { image: images.value[0]?.number ?? 1, frame: 0 };
});
export const image = computed(() => images.value.find((one) => one.number === place.value.image) ?? null);

export const isHere = (roi: { image: number; frame: number }): boolean =>
  roi.image === place.value.image && roi.frame === place.value.frame;
export const placesHere = computed<Place[]>(() => (consensus.value?.regions ?? []).filter(isHere));

/** Go where a region is. */
export function show(roi: { image: number; frame: number }): void {
  if (!isHere(roi)) zoom.value = WHOLE;
  chosen.value = { image: roi.image, frame: roi.frame };
}

export function toggle(reading: string): void {
  const next = new Set(hidden.value);
  if (!next.delete(reading)) next.add(reading);
  hidden.value = next;
}

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/** Zoom by a factor about a point of the image, in shares of its sides; what is shown stays on the image. */
export function zoomBy(now: Zoom, factor: number, x: number, y: number): Zoom {
  const scale = clamp(now.scale * factor, 1, MOST);
  const keep = now.scale / scale;
  return within({ scale, x: x + (now.x - x) * keep, y: y + (now.y - y) * keep });
}

export function within({ scale, x, y }: Zoom): Zoom {
  const half = 0.5 / scale;
  return { scale, x: clamp(x, half, 1 - half), y: clamp(y, half, 1 - half) };
}

/** 1 to 8: the colour and line of a reader, the same in every part of the page. */
export const styleOf = (said: Pick<ReadingSaid, "number">): number => ((said.number - 1) % 8) + 1;
export const nameOf = (said: ReadingSaid): string => {
  const who = said.name ? `${said.reader} ${said.name}` : said.reader;
  return said.arm === "aided" ? `${who}, aided` : who;
};
export function labelName(id: string | null): string {
  const known: Label | undefined = page.value?.protocol.labels.find((label) => label.id === id);
  return known?.name ?? id ?? "no label";
}
export const roiName = (roi: Pick<Roi, "label" | "image" | "shape">): string =>
  `${labelName(roi.label)}, ${roi.shape}${images.value.length > 1 ? `, image ${roi.image}` : ""}`;
