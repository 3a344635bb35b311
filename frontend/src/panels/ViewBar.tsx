import type { JSX } from "preact";
import type { Tool } from "../state/cells";
import type { Session } from "../state/session";
import { toggleTheme } from "../theme";
import { BrushSize } from "./BrushSize";
import { Icon } from "./icons";
import { ViewControls } from "./ViewControls";
import { LayoutPicker, LinkToggle } from "./ViewMenus";

const HINTS: Record<Tool, readonly [tool: string, words: string, key: string, does: string]> = {
  select: ["Select", "drag to move or resize", "Del", "delete"],
  window: ["Window", "drag: right wider, down brighter", "=", "fit"],
  box: ["Box", "drag to draw", "Esc", "cancel"],
  ellipse: ["Ellipse", "drag; Shift a circle, Alt from its centre", "Esc", "cancel"],
  polygon: ["Polygon", "click the corners", "⏎", "close"],
  freehand: ["Freehand", "draw round it", "Esc", "cancel"],
  brush: ["Brush", "paint; Shift erases", "Esc", "new region"],
  eraser: ["Eraser", "take from a painted region", "[ ]", "size"],
  line: ["Line", "drag to measure", "Esc", "cancel"],
  point: ["Point", "click", "Del", "delete"],
};

const LOOKING = ["Look", "drag to pan; what is submitted does not change", "=", "fit"] as const;

export function ViewBar({ session }: { session: Session }): JSX.Element {
  const [tool, words, key, does] = session.isLocked ? LOOKING : HINTS[session.tool.value];
  return (
    <div class="ws-bar" role="toolbar" aria-label="View">
      <LayoutPicker board={session} />
      <LinkToggle board={session} />
      <span class="sep" />
      <ViewControls board={session} />
      <span class="sep" />
      <BrushSize board={session} />
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
