import { type ReadonlySignal, type Signal, signal } from "@preact/signals";

/** LOCAL: whoever sits here did it and it is to be saved. REMOTE: it came from the server and is saved already. */
export type Source = "LOCAL" | "REMOTE";
export type Listener<T> = (content: T, source: Source) => void;

const MOST_UNDO = 500;
/** After a rest of this long, what is typed next is an undo of its own. */
const REST_MS = 2000;

/**
 * Something that is written, with one undo stack over everything in it.
 *
 * Content is never changed in place, so a snapshot costs the changed branch only. Changes with the same `merge` key one
 * after the other (letters typed in one field, one drag) are one undo, up to a rest. Saving leaves the stack alone; what
 * comes from the server is never in it. Undo in a text field is this one too: a field's own undo would take back letters
 * that the stack knows as part of a larger change, and the two would part.
 */
export class History<T> {
  private readonly current: Signal<T>;
  private readonly past = signal<T[]>([]);
  private readonly future = signal<T[]>([]);
  private readonly told = signal("");
  private merge: string | null = null;
  private changedAt = 0;
  private readonly listeners = new Set<Listener<T>>();
  private readonly describe: (before: T, after: T) => string;
  private readonly now: () => number;

  /** `describe` says in a few words what differs between two states that follow one another. */
  constructor(content: T, describe: (before: T, after: T) => string, now: () => number = Date.now) {
    this.current = signal(content);
    this.describe = describe;
    this.now = now;
  }

  /** What was last undone or redone, for whoever cannot see it. */
  get said(): ReadonlySignal<string> {
    return this.told;
  }

  /** What undo and redo would do, in a few words; null if there is nothing. */
  get undoes(): string | null {
    const [before] = this.past.value.slice(-1);
    return before === undefined ? null : this.describe(before, this.current.value);
  }

  get redoes(): string | null {
    const [after] = this.future.value.slice(-1);
    return after === undefined ? null : this.describe(this.current.value, after);
  }

  get content(): ReadonlySignal<T> {
    return this.current;
  }

  get canUndo(): boolean {
    return this.past.value.length > 0;
  }

  get canRedo(): boolean {
    return this.future.value.length > 0;
  }

  change(edit: (content: T) => T, merge: string | null = null): void {
    const before = this.current.peek();
    const after = edit(before);
    if (after === before) return;
    const now = this.now();
    const goesOn = merge !== null && merge === this.merge && now - this.changedAt <= REST_MS;
    this.changedAt = now;
    if (!goesOn) this.past.value = [...this.past.peek(), before].slice(-MOST_UNDO);
    this.merge = merge;
    this.future.value = [];
    this.set(after, "LOCAL");
  }

  /** Ends a run of merged changes: the next one is an undo of its own. */
  seal(): void {
    this.merge = null;
  }

  undo(): void {
    const before = this.past.peek().at(-1);
    if (before === undefined) return;
    this.told.value = `Undone: ${this.undoes}`;
    this.past.value = this.past.peek().slice(0, -1);
    this.future.value = [...this.future.peek(), this.current.peek()];
    this.merge = null;
    this.set(before, "LOCAL");
  }

  /** Undoes the last change as if it had never been: a cancelled drag is not there to be redone. */
  takeBack(): void {
    this.undo();
    this.told.value = "";
    this.future.value = this.future.peek().slice(0, -1);
  }

  redo(): void {
    const after = this.future.peek().at(-1);
    if (after === undefined) return;
    this.told.value = `Done again: ${this.redoes}`;
    this.future.value = this.future.peek().slice(0, -1);
    this.past.value = [...this.past.peek(), this.current.peek()];
    this.merge = null;
    this.set(after, "LOCAL");
  }

  /** Another case or another version: what was undone before belongs to it no more. */
  load(content: T, source: Source): void {
    this.past.value = [];
    this.future.value = [];
    this.merge = null;
    this.told.value = "";
    this.set(content, source);
  }

  listen(listener: Listener<T>): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private set(content: T, source: Source): void {
    this.current.value = content;
    for (const listener of this.listeners) listener(content, source);
  }
}

/** A stack of undo, whatever it is of. */
export type Undo = Pick<
  History<unknown>,
  "said" | "undoes" | "redoes" | "canUndo" | "canRedo" | "seal" | "undo" | "takeBack" | "redo"
>;
