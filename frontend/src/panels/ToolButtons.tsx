import type { JSX } from "preact";
import type { Board } from "../state/board";
import type { Tool } from "../state/cells";
import { Icon, type IconName } from "./icons";

const TOOLS: readonly { tool: Tool; name: string; key: string; icon: IconName }[] = [
  { tool: "select", name: "Select", key: "v", icon: "select" },
  { tool: "window", name: "Window and level", key: "w", icon: "window" },
  { tool: "box", name: "Box", key: "r", icon: "box" },
  { tool: "ellipse", name: "Ellipse", key: "o", icon: "ellipse" },
  { tool: "polygon", name: "Polygon", key: "p", icon: "polygon" },
  { tool: "freehand", name: "Freehand", key: "f", icon: "freehand" },
  { tool: "brush", name: "Brush", key: "b", icon: "brush" },
  { tool: "eraser", name: "Eraser", key: "e", icon: "eraser" },
  { tool: "line", name: "Line", key: "m", icon: "line" },
  { tool: "point", name: "Point", key: "k", icon: "point" },
];

/** The tools of a hand, or those of them that are named. */
export function ToolButtons({ board, only }: { board: Board; only?: readonly Tool[] }): JSX.Element {
  return (
    <>
      {TOOLS.filter(({ tool }) => only?.includes(tool) ?? true).map(({ tool, name, key, icon }) => (
        <button
          key={tool}
          type="button"
          class="tool"
          data-tool={tool}
          title={`${name} (${key})`}
          aria-label={`${name}, key ${key}`}
          aria-pressed={board.tool.value === tool}
          onClick={() => (board.tool.value = tool)}
        >
          <Icon name={icon} />
          <span class="k">{key}</span>
        </button>
      ))}
    </>
  );
}

export function UndoButtons({ board: { store } }: { board: Board }): JSX.Element {
  return (
    <>
      <Plain label="Undo" words={store.undoes} icon="undo" isOff={!store.canUndo} act={() => store.undo()} />
      <Plain label="Redo" words={store.redoes} icon="redo" isOff={!store.canRedo} act={() => store.redo()} />
      <span class="vh" role="status" data-testid="undone">
        {store.said.value}
      </span>
    </>
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

export function Plain({ label, icon, letter, words, isOff = false, act }: PlainProps): JSX.Element {
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
