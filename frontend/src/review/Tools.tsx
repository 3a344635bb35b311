// Whose regions are on show, and which map lies over the image.
import type { Signal } from "@preact/signals";
import type { JSX } from "preact";
import { filledTo } from "../panels/words";
import { board } from "./board";
import type { ReadingSaid } from "./data";
import { readings } from "./state";
import { hasMaps, hidden, nameOf, opacity, showsDifference, showsStaple, styleOf, toggle } from "./view";

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

interface ToggleProps {
  on: Signal<boolean>;
  words: string;
  letter: string;
  isOff?: boolean;
}

function Toggle({ on, words, letter, isOff }: ToggleProps): JSX.Element {
  return (
    <button
      type="button"
      class="chip"
      aria-pressed={on.value}
      disabled={isOff}
      title={isOff ? "Nothing was drawn on this frame that has an area" : `Key ${letter}, with the hand on the images`}
      onClick={() => {
        on.value = !on.value;
      }}
    >
      {words}
    </button>
  );
}

export function Tools(): JSX.Element {
  return (
    <div class="stack review-tools">
      <div class="row wrap" role="group" aria-label="Regions on show">
        {readings.value.map((said) => (
          <ReaderChip key={said.reading} said={said} />
        ))}
        <button
          type="button"
          class="chip"
          aria-pressed={board.overlays.value}
          onClick={() => (board.overlays.value = !board.overlays.value)}
        >
          <Swatch style="gold" />
          Gold
        </button>
      </div>
      <div class="row wrap" role="group" aria-label="Maps over the image">
        <Toggle on={showsDifference} words="Where readers differ" letter="d" isOff={!hasMaps.value} />
        <Toggle on={showsStaple} words="STAPLE" letter="t" isOff={!hasMaps.value} />
        {showsDifference.value && (
          <span class="map-key difference sm t2">
            <i aria-hidden="true" /> all alike to half against half
          </span>
        )}
        {showsStaple.value && (
          <span class="map-key staple sm t2">
            <i aria-hidden="true" /> unlikely to sure
          </span>
        )}
        <label class="row sm t2">
          Opacity
          <input
            class="range opacity"
            type="range"
            min="0"
            max="1"
            step="0.05"
            value={opacity.value}
            style={filledTo(opacity.value)}
            onInput={(event) => (opacity.value = event.currentTarget.valueAsNumber)}
          />
        </label>
      </div>
    </div>
  );
}
