import type { JSX } from "preact";
import type { Tool } from "../state/cells";
import type { Session } from "../state/session";
import { Icon, type IconName } from "./icons";

const TOOLS: readonly { tool: Tool; name: string; key: string; icon: IconName }[] = [
  { tool: "select", name: "Select", key: "v", icon: "select" },
  { tool: "window", name: "Window and level", key: "w", icon: "window" },
  { tool: "box", name: "Box", key: "r", icon: "box" },
  { tool: "ellipse", name: "Ellipse", key: "o", icon: "ellipse" },
  { tool: "polygon", name: "Polygon", key: "p", icon: "polygon" },
  { tool: "freehand", name: "Freehand", key: "f", icon: "freehand" },
  { tool: "line", name: "Line", key: "m", icon: "line" },
  { tool: "point", name: "Point", key: "k", icon: "point" },
];

export function Tools({ session }: { session: Session }): JSX.Element {
  return (
    <aside class="ws-tools" aria-label="Drawing">
      <div class="ws-tools-in" role="toolbar" aria-label="Tools" aria-orientation="vertical">
        {TOOLS.map(({ tool, name, key, icon }) => (
          <button
            key={tool}
            type="button"
            class="tool"
            data-tool={tool}
            title={`${name} (${key})`}
            aria-label={`${name}, key ${key}`}
            aria-pressed={session.tool.value === tool}
            onClick={() => (session.tool.value = tool)}
          >
            <Icon name={icon} />
            <span class="k">{key}</span>
          </button>
        ))}
        <span class="grow" />
        <Plain
          label="Undo"
          words={session.store.undoes}
          icon="undo"
          isOff={!session.store.canUndo}
          act={() => session.store.undo()}
        />
        <Plain
          label="Redo"
          words={session.store.redoes}
          icon="redo"
          isOff={!session.store.canRedo}
          act={() => session.store.redo()}
        />
        <span class="vh" role="status" data-testid="undone">
          {session.store.said.value}
        </span>
        <Plain label="All keys, key ?" icon="keys" letter="?" act={() => (session.dialog.value = "keys")} />
      </div>
    </aside>
  );
}

interface PlainProps {
  label: string;
  icon: IconName;
  letter?: string;
  /** What it would do now. */
  words?: string | null;
  isOff?: boolean;
  act: () => void;
}

function Plain({ label, icon, letter, words, isOff = false, act }: PlainProps): JSX.Element {
  return (
    <button
      type="button"
      class="tool"
      aria-label={label}
      title={words ? `${label}: ${words}` : label}
      disabled={isOff}
      onClick={act}
    >
      <Icon name={icon} />
      {letter && <span class="k">{letter}</span>}
    </button>
  );
}
