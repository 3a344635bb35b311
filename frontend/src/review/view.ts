// What of the readings is drawn over the images, and how it is named.
import { computed, signal } from "@preact/signals";
import type { ImageInfo, Roi } from "../api/types";
import { board } from "./board";
import type { Place, ReadingSaid } from "./data";
import { consensus, page, readings } from "./state";

/** Readings that were shown or hidden by hand; of the others those that the consensus is made of are shown. */
const chosen = signal<ReadonlyMap<string, boolean>>(new Map());
/** The places, in all readings, of those that the consensus is made of; where it is of none, of all. */
export const counted = computed<number[]>(() => {
  const found = consensus.value?.counted ?? [];
  return found.length > 0 ? found : readings.value.map((_, at) => at);
});
export const hidden = computed<ReadonlySet<string>>(() => {
  const voices = new Set(counted.value);
  const out = readings.value.filter((said, at) => !(chosen.value.get(said.reading) ?? voices.has(at)));
  return new Set(out.map((said) => said.reading));
});
/** What stands side by side: what counts always, what does not (aided, of older images) once it is shown. */
export const beside = computed(() =>
  readings.value
    .map((said, at) => ({ said, at }))
    .filter(({ said, at }) => counted.value.includes(at) || !hidden.value.has(said.reading)),
);
export const showsDifference = signal(false);
export const showsStaple = signal(false);
export const showsKeys = signal(false);
export const opacity = signal(0.6);

export const images = computed<ImageInfo[]>(() => page.value?.case.images ?? []);

/** What readers' regions add up to on a frame. */
export function placesAt(image: number, frame: number): Place[] {
  return (consensus.value?.regions ?? []).filter((at) => at.image === image && at.frame === frame);
}

/** The frames of an image on which there are regions, in order. */
export function framesDrawn(rois: readonly Pick<Roi, "image" | "frame">[], image: number): number[] {
  const here = rois.filter((roi) => roi.image === image).map((roi) => roi.frame);
  return [...new Set(here)].sort((a, b) => a - b);
}

/** Whether a viewport shows a frame that has maps. */
export const hasMaps = computed(() =>
  board.cells.value.some((cell) => placesAt(cell.image.value ?? 0, cell.frame.value).some((at) => at.window !== null)),
);

/** What lights a region up on the images: everything else steps back while it is in focus or under the pointer. */
export const lights = (id: string) => {
  const on = (): void => {
    board.hovered.value = new Set([id]);
  };
  const off = (): void => {
    board.hovered.value = new Set();
  };
  return { onPointerEnter: on, onPointerLeave: off, onFocus: on, onBlur: off };
};

export function toggle(reading: string): void {
  chosen.value = new Map(chosen.value).set(reading, hidden.value.has(reading));
}

/** 1 to 8: the colour and line of a reader, the same in every part of the page. */
export const styleOf = (said: Pick<ReadingSaid, "number">): number => ((said.number - 1) % 8) + 1;
export const nameOf = (said: ReadingSaid): string => {
  const who = said.name ? `${said.reader} ${said.name}` : said.reader;
  return said.arm === "aided" ? `${who}, aided` : who;
};
export function labelName(id: string | null): string {
  return board.labels.find((label) => label.id === id)?.name ?? id ?? "no label";
}
export const roiName = (roi: Pick<Roi, "label" | "image" | "shape">): string =>
  `${labelName(roi.label)}, ${roi.shape}${images.value.length > 1 ? `, image ${roi.image}` : ""}`;
