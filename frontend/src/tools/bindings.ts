import { signal } from "@preact/signals";
import type { Key } from "./keymap";

// A reader's own keys, kept in this browser under the reader's id: what a key does is told by an entry's id alone, and
// a stroke that is no stroke is passed over, so that whatever stands in the store can do no more than name a key.

/** An entry of a keymap, whatever it acts on. */
type Bound = Pick<Key, "id" | "keys" | "strokes" | "words">;

/** Strokes by entry. */
export type Bindings = Readonly<Record<string, string>>;

const STROKE = /^(Ctrl\+)?(Shift\+)?(\p{L}|[0-9]|[!-~]|F[1-9]|F1[0-2])$/u;
/** The browser's or the page's own: taking them would lock a reader out. */
const TAKEN: readonly string[] = ["Ctrl+c", "Ctrl+v", "Ctrl+x", "Ctrl+a", "Ctrl+t", "Ctrl+w", "Ctrl+n", "Ctrl+r", "?"];

/** Changes redraw the help; the keys look here at every press. */
export const bindings = signal<Bindings>({});

const nameOf = (user: string): string => `sightline:keys:${user}`;

/** One plain stroke that nothing but this entry reads: others mean two strokes, a pointer too, or a key held down. */
export function isMovable({ id, keys, strokes: [first = "", ...more] }: Bound): boolean {
  const isPlain = more.length === 0 && STROKE.test(first) && !keys.includes(",");
  return isPlain && !["answer", "overlays", "help"].includes(id);
}

export function strokesOf(key: Bound): readonly string[] {
  const own = isMovable(key) ? bindings.value[key.id] : undefined;
  return own === undefined ? key.strokes : [own];
}

/** Why a stroke cannot be an entry's; null if it can. */
export function conflict(keymap: readonly Bound[], id: string, stroke: string): string | null {
  if (!STROKE.test(stroke)) return "That key cannot be used";
  if (TAKEN.includes(stroke)) return `${written(stroke)} belongs to the browser or to this page`;
  const other = keymap.find((key) => key.id !== id && strokesOf(key).includes(stroke));
  return other ? `${written(stroke)} is already: ${other.words}` : null;
}

/** As the help writes a stroke. */
export function written(stroke: string): string {
  return stroke.replaceAll("+", " ").trim() || stroke;
}

function isBindings(value: unknown): value is Bindings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Takes up what a reader chose earlier: only movable entries, only strokes, and no two the same. */
export function loadBindings(user: string, keymap: readonly Bound[]): void {
  bindings.value = {};
  let kept: unknown = null;
  try {
    kept = JSON.parse(localStorage.getItem(nameOf(user)) ?? "{}");
  } catch {
    // Nothing is kept, or not by us.
  }
  if (!isBindings(kept)) return;
  for (const key of keymap) {
    const stroke = Object.hasOwn(kept, key.id) ? kept[key.id] : undefined;
    if (typeof stroke !== "string" || !isMovable(key) || conflict(keymap, key.id, stroke)) continue;
    bindings.value = { ...bindings.value, [key.id]: stroke };
  }
}

/** Gives an entry another stroke, or its first one back (null). */
export function bind(user: string, id: string, stroke: string | null): void {
  const { [id]: _old, ...others } = bindings.peek();
  bindings.value = stroke === null ? others : { ...others, [id]: stroke };
  try {
    localStorage.setItem(nameOf(user), JSON.stringify(bindings.peek()));
  } catch {
    // A browser that keeps nothing: the keys hold until the page is left.
  }
}
