import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { bind, bindings, conflict, isMovable, written } from "../tools/bindings";
import { type Key, strokeOf } from "../tools/keymap";
import { Dialog } from "./Dialog";
import { Icon } from "./icons";

const GROUPS: readonly Key["group"][] = ["Tools", "Image", "Reading", "Review"];
const MODIFIERS: readonly string[] = ["Shift", "Control", "Alt", "Meta"];

/** An entry to be read and moved, whatever page it acts on. */
export type KeyEntry = Omit<Key, "run">;

interface Props {
  keymap: readonly KeyEntry[];
  /** Entries of another page, whose strokes are not free either: a key that is moved is moved on both. */
  others?: readonly KeyEntry[];
  user: string;
  close: () => void;
}

export function matchesKey(key: KeyEntry, wanted: string): boolean {
  const text = `${key.keys} ${bindings.value[key.id] ?? ""} ${key.words} ${key.group}`.toLowerCase();
  return wanted
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Every key by group; words find them, and those that can be moved are moved here. */
export function KeysDialog({ keymap, others = [], user, close }: Props): JSX.Element {
  const wanted = useSignal("");
  const moving = useSignal<string | null>(null);
  const problem = useSignal<string | null>(null);
  const found = keymap.filter((key) => matchesKey(key, wanted.value));
  const own = Object.keys(bindings.value).length;
  const begin = (id: string | null): void => {
    moving.value = id;
    problem.value = null;
  };
  const take = (event: KeyboardEvent): void => {
    const id = moving.value;
    if (id === null || MODIFIERS.includes(event.key) || event.key === "Tab") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") {
      begin(null);
      return;
    }
    const stroke = strokeOf(event);
    const why = conflict([...keymap, ...others], id, stroke);
    problem.value = why;
    if (why) return;
    const first = keymap.find((key) => key.id === id)?.strokes[0];
    bind(user, id, stroke === first ? null : stroke);
    moving.value = null;
  };
  return (
    <Dialog title="Keys" wide close={close}>
      <div class="body">
        <div class="search keys-search">
          <Icon name="search" size="sm" />
          <input
            class="input"
            type="search"
            aria-label="Find a key"
            placeholder="Find a key or what it does"
            maxLength={60}
            value={wanted.value}
            onInput={(event) => (wanted.value = event.currentTarget.value)}
          />
        </div>
        <p class="vh" role="status">
          {found.length} of {keymap.length} keys
        </p>
        {problem.value && (
          <p class="error" role="alert">
            <Icon name="warn" size="sm" />
            {problem.value}
          </p>
        )}
        <div class="keys" onKeyDownCapture={take}>
          {found.length === 0 && <p class="t3">No key does “{wanted.value}”</p>}
          {GROUPS.map((group) => (
            <Group
              key={group}
              group={group}
              keys={found.filter((key) => key.group === group)}
              moving={moving.value}
              begin={begin}
            />
          ))}
        </div>
      </div>
      <footer>
        <span class="t3 sm keys-note">
          Bright keys can be changed: press one. Letters are dead while you write; Esc leaves the text.
        </span>
        {own > 0 && (
          <button
            type="button"
            class="btn ghost"
            onClick={() => Object.keys(bindings.value).map((id) => bind(user, id, null))}
          >
            All keys as they were
          </button>
        )}
        <button type="button" class="btn" onClick={close}>
          Close
        </button>
      </footer>
    </Dialog>
  );
}

interface GroupProps {
  group: string;
  keys: readonly KeyEntry[];
  moving: string | null;
  begin: (id: string | null) => void;
}

function Group({ group, keys, moving, begin }: GroupProps): JSX.Element | null {
  if (keys.length === 0) return null;
  return (
    <section>
      <h3>{group}</h3>
      <dl>
        {keys.map((key) => (
          <div key={key.id} data-key={key.id}>
            <dt>
              {isMovable(key) ? (
                <Movable entry={key} isMoving={moving === key.id} begin={begin} />
              ) : (
                <kbd class="kbd">{key.keys}</kbd>
              )}
            </dt>
            <dd>{key.words}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

interface MovableProps {
  entry: KeyEntry;
  isMoving: boolean;
  begin: (id: string | null) => void;
}

function Movable({ entry, isMoving, begin }: MovableProps): JSX.Element {
  const own = bindings.value[entry.id];
  const keys = own === undefined ? entry.keys : written(own);
  return (
    <button
      type="button"
      class={`kbd key-move${own === undefined ? "" : " own"}`}
      aria-label={isMoving ? `Press a key for: ${entry.words}` : `${keys}: ${entry.words}. Change this key`}
      title={isMoving ? "Press a key, Esc to leave it" : "Change this key"}
      aria-pressed={isMoving}
      onClick={() => begin(isMoving ? null : entry.id)}
      onBlur={() => isMoving && begin(null)}
    >
      {isMoving ? "press a key" : keys}
    </button>
  );
}
