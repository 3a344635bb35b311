import type { JSX } from "preact";
import { type Tool, windowOf } from "../state/cells";
import type { Session } from "../state/session";
import { currentImage, fitImage, invert, preset, togglePlaying } from "../state/viewing";
import { toggleTheme } from "../theme";
import { Icon } from "./icons";
import { LayoutPicker, LinkToggle, TurnMenu } from "./ViewMenus";

const HINTS: Record<Tool, readonly [tool: string, words: string, key: string, does: string]> = {
  select: ["Select", "drag to move or resize", "Del", "delete"],
  window: ["Window", "drag: right wider, down brighter", "=", "fit"],
  box: ["Box", "drag to draw", "Esc", "cancel"],
  ellipse: ["Ellipse", "drag; Shift a circle, Alt from its centre", "Esc", "cancel"],
  polygon: ["Polygon", "click the corners", "⏎", "close"],
  freehand: ["Freehand", "draw round it", "Esc", "cancel"],
  line: ["Line", "drag to measure", "Esc", "cancel"],
  point: ["Point", "click", "Del", "delete"],
};

export function ViewBar({ session }: { session: Session }): JSX.Element {
  const image = currentImage(session);
  const cell = session.cell();
  const [tool, words, key, does] = HINTS[session.tool.value];
  return (
    <div class="ws-bar" role="toolbar" aria-label="View">
      <LayoutPicker session={session} />
      <LinkToggle session={session} />
      <span class="sep" />
      {image && image.windows.length > 0 ? (
        <select
          class="select sm presets"
          aria-label="Window presets of the file, Shift 1 to 9"
          value={String(
            image.windows.findIndex(
              (one) => one.centre === windowOf(cell).centre && one.width === windowOf(cell).width,
            ),
          )}
          onChange={(event) => preset(session, Number(event.currentTarget.value))}
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
        onClick={() => invert(session)}
      >
        <Icon name="invert" />
      </button>
      <button
        type="button"
        class="btn ghost icon sm"
        aria-label="Fit, key ="
        title="Fit (=)"
        onClick={() => fitImage(session)}
      >
        <Icon name="fit" />
      </button>
      <TurnMenu session={session} />
      {image && image.frames > 1 && (
        <button
          type="button"
          class="btn ghost sm cine"
          aria-pressed={cell.playing.value}
          onClick={() => togglePlaying(session)}
        >
          <Icon name={cell.playing.value ? "pause" : "play"} />
          {cell.playing.value ? "Pause" : "Play"} <kbd class="kbd">Space</kbd>
        </button>
      )}
      <span class="sep" />
      <span class="row sm t2 hints">
        <span class="med">{tool}</span> {words} <kbd class="kbd">{key}</kbd> {does}
      </span>
      <span class="end row">
        <button
          type="button"
          class="btn ghost sm"
          aria-pressed={session.overlays.value}
          onClick={() => (session.overlays.value = !session.overlays.value)}
        >
          <Icon name="eye" />
          Overlays <kbd class="kbd">`</kbd>
        </button>
        <button
          type="button"
          class="btn ghost icon sm"
          aria-label="Switch to the other theme"
          title="Dark or light"
          onClick={toggleTheme}
        >
          <Icon name="moon" />
        </button>
        <button
          type="button"
          class="btn ghost icon sm"
          aria-label="Right panel"
          title="Right panel"
          aria-pressed={session.panel.value}
          onClick={() => session.togglePanel()}
        >
          <Icon name="panel" />
        </button>
      </span>
    </div>
  );
}
