import type { JSX } from "preact";
import type { Board } from "../state/board";
import { turn } from "../state/viewing";
import { LAYOUTS, layoutOf } from "../viewer/layout";
import type { Turning } from "../viewer/transform";
import { Icon, type IconName } from "./icons";
import { Popover } from "./Popover";

/** One image to nine. */
export function LayoutPicker({ board }: { board: Board }): JSX.Element {
  const now = layoutOf(board.layout.value);
  const face = (
    <>
      <Icon name={`l${now.name}`} />
      {now.rows} × {now.columns}
    </>
  );
  return (
    <Popover label={`Layouts, now ${now.title.toLowerCase()}`} name="layouts" face={face}>
      <div class="sheet-grid" role="group" aria-label="Layouts">
        {LAYOUTS.map((layout) => (
          <button
            key={layout.name}
            type="button"
            class={`btn ghost sm${layout === now ? " on" : ""}`}
            aria-label={`Layout: ${layout.title.toLowerCase()}`}
            title={layout.title}
            aria-pressed={layout === now}
            data-layout={layout.name}
            onClick={() => board.chooseLayout(layout.name)}
          >
            <Icon name={`l${layout.name}`} />
            {layout.rows} × {layout.columns}
          </button>
        ))}
      </div>
    </Popover>
  );
}

export function LinkToggle({ board }: { board: Board }): JSX.Element | null {
  if (board.cells.value.length < 2) return null;
  const isLinked = board.linked.value;
  return (
    <button
      type="button"
      class="btn ghost sm link-toggle"
      aria-pressed={isLinked}
      aria-label="Link the viewports, key l"
      title="One zoom, pan, window and frame step for all viewports (l)"
      onClick={() => (board.linked.value = !isLinked)}
    >
      <Icon name={isLinked ? "link" : "unlink"} />
      {isLinked ? "Linked" : "Free"} <kbd class="kbd">l</kbd>
    </button>
  );
}

const TURNS: readonly { by: Turning; name: string; key: string; icon: IconName }[] = [
  { by: "left", name: "Turn left", key: "Shift l", icon: "turnLeft" },
  { by: "right", name: "Turn right", key: "Shift r", icon: "turnRight" },
  { by: "horizontal", name: "Flip left to right", key: "Shift h", icon: "flipAcross" },
  { by: "vertical", name: "Flip top to bottom", key: "Shift v", icon: "flipDown" },
];

/** Quarter turns and flips of the active viewport; what is drawn stays on its pixels. */
export function TurnMenu({ board }: { board: Board }): JSX.Element {
  return (
    <Popover label="Turn and flip" name="turns" face={<Icon name="turnRight" />}>
      {TURNS.map(({ by, name, key, icon }) => (
        <button key={by} type="button" class="btn ghost sm" data-turn={by} onClick={() => turn(board, by)}>
          <Icon name={icon} />
          {name} <kbd class="kbd">{key}</kbd>
        </button>
      ))}
    </Popover>
  );
}
