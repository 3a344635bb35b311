import type { JSX } from "preact";
import type { Board } from "../state/board";
import { windowOf } from "../state/cells";
import { currentImage, fitImage, invert, preset, togglePlaying } from "../state/viewing";
import { Icon } from "./icons";
import { TurnMenu } from "./ViewMenus";

/** Window, inversion, fit, turn and cine of the active viewport. */
export function ViewControls({ board }: { board: Board }): JSX.Element {
  const image = currentImage(board);
  const cell = board.cell();
  return (
    <>
      {image && image.windows.length > 0 ? (
        <select
          class="select sm presets"
          aria-label="Window presets of the file, Shift 1 to 9"
          value={String(
            image.windows.findIndex(
              (one) => one.centre === windowOf(cell).centre && one.width === windowOf(cell).width,
            ),
          )}
          onChange={(event) => preset(board, Number(event.currentTarget.value))}
        >
          <option value="-1" disabled>
            Own window
          </option>
          {image.windows.map((one, index) => (
            <option key={`${one.centre}/${one.width}`} value={String(index)}>
              {one.explanation || `W ${Math.round(one.width)} C ${Math.round(one.centre)}, from file`}
            </option>
          ))}
        </select>
      ) : (
        <button type="button" class="btn ghost sm" onClick={() => (cell.windowing.value = null)}>
          <Icon name="window" />
          {cell.base.value.name}
        </button>
      )}
      <button
        type="button"
        class="btn ghost icon sm"
        aria-label="Invert, key i"
        title="Invert (i)"
        aria-pressed={windowOf(cell).invert}
        onClick={() => invert(board)}
      >
        <Icon name="invert" />
      </button>
      <button
        type="button"
        class="btn ghost icon sm"
        aria-label="Fit, key ="
        title="Fit (=)"
        onClick={() => fitImage(board)}
      >
        <Icon name="fit" />
      </button>
      <TurnMenu board={board} />
      {image && image.frames > 1 && (
        <button
          type="button"
          class="btn ghost sm cine"
          aria-pressed={cell.playing.value}
          onClick={() => togglePlaying(board)}
        >
          <Icon name={cell.playing.value ? "pause" : "play"} />
          {cell.playing.value ? "Pause" : "Play"} <kbd class="kbd">Space</kbd>
        </button>
      )}
    </>
  );
}
