// Whose regions are on show, on which image, with which map over it.
import type { Signal } from "@preact/signals";
import type { JSX } from "preact";
import type { ReadingSaid } from "./data";
import { readings } from "./state";
import {
  chosen,
  hidden,
  image,
  images,
  nameOf,
  opacity,
  place,
  placesHere,
  show,
  showsDifference,
  showsGold,
  showsStaple,
  styleOf,
  toggle,
  WHOLE,
  zoom,
} from "./view";

export function Swatch({ style }: { style: number | "gold" }): JSX.Element {
  return (
    <svg class={`roi roi-${style} swatch`} viewBox="0 0 28 8" aria-hidden="true">
      <path class="edge" d="M0 4H28" />
    </svg>
  );
}

function ReaderChip({ said }: { said: ReadingSaid }): JSX.Element {
  const count = said.content.rois.length;
  return (
    <button
      type="button"
      class="chip"
      aria-pressed={!hidden.value.has(said.reading)}
      onClick={() => toggle(said.reading)}
      title={`${count} region${count === 1 ? "" : "s"}`}
    >
      <Swatch style={styleOf(said)} />
      {nameOf(said)} <span class="num">{count}</span>
    </button>
  );
}

function Toggle({ on, words, isOff }: { on: Signal<boolean>; words: string; isOff?: boolean }): JSX.Element {
  return (
    <button
      type="button"
      class="chip"
      aria-pressed={on.value}
      disabled={isOff}
      onClick={() => {
        on.value = !on.value;
      }}
    >
      {words}
    </button>
  );
}

function ImageChoice(): JSX.Element | null {
  const info = image.value;
  const rois = readings.value.flatMap((one) => one.content.rois);
  const go = (number: number): void => {
    const found = rois.find((roi) => roi.image === number);
    show(found ?? { image: number, frame: 0 });
  };
  return (
    <div class="row wrap">
      {images.value.length > 1 && (
        <div class="seg" role="group" aria-label="Image">
          {images.value.map((one) => (
            <button
              key={one.number}
              type="button"
              aria-pressed={place.value.image === one.number}
              onClick={() => go(one.number)}
            >
              Image {one.number}
              {rois.some((roi) => roi.image === one.number) && <span class="dot acc" title="has regions" />}
            </button>
          ))}
        </div>
      )}
      {info && info.frames > 1 && (
        <label class="row sm t2">
          Frame
          <input
            class="opacity"
            type="range"
            min="0"
            max={info.frames - 1}
            value={place.value.frame}
            onInput={(event) => {
              chosen.value = { image: info.number, frame: event.currentTarget.valueAsNumber };
            }}
          />
          <span class="num">{place.value.frame + 1}</span>
        </label>
      )}
      <button type="button" class="btn sm" disabled={zoom.value === WHOLE} onClick={() => (zoom.value = WHOLE)}>
        Whole image
      </button>
    </div>
  );
}

export function Tools(): JSX.Element {
  const hasMaps = placesHere.value.some((at) => at.window !== null);
  return (
    <div class="stack review-tools">
      <div class="row wrap" role="group" aria-label="Regions on show">
        {readings.value.map((said) => (
          <ReaderChip key={said.reading} said={said} />
        ))}
        <button
          type="button"
          class="chip"
          aria-pressed={showsGold.value}
          onClick={() => (showsGold.value = !showsGold.value)}
        >
          <Swatch style="gold" />
          Gold
        </button>
      </div>
      <div class="row wrap between">
        <ImageChoice />
        <div class="row wrap" role="group" aria-label="Maps over the image">
          <Toggle on={showsDifference} words="Where readers differ" isOff={!hasMaps} />
          <Toggle on={showsStaple} words="STAPLE" isOff={!hasMaps} />
          <label class="row sm t2">
            Opacity
            <input
              class="opacity"
              type="range"
              min="0"
              max="1"
              step="0.05"
              value={opacity.value}
              onInput={(event) => (opacity.value = event.currentTarget.valueAsNumber)}
            />
          </label>
        </div>
      </div>
    </div>
  );
}
