import { type ReadonlySignal, signal } from "@preact/signals";
import type { Content } from "../api/types";
import { changeBetween } from "./describe";

/** LOCAL: the reader did it and it is to be saved. REMOTE: it came from the server and is saved already. */
export type Source = "LOCAL" | "REMOTE";
export type Listener = (content: Content, source: Source) => void;

export const EMPTY_CONTENT: Content = { answer: null, confidence: null, rois: [], steps: [], entities: [] };

const MOST_UNDO = 500;
/** After a rest of this long, what is typed next is an undo of its own. */
const REST_MS = 2000;

/**
 * A reading's content with one undo stack over everything in it: shapes, texts, links, order, labels, answer.
 *
 * Content is never changed in place, so a snapshot costs the changed branch only. Changes with the same `merge` key one
 * after the other (letters typed in one field, one drag) are one undo, up to a rest. Saving leaves the stack alone; what
 * comes from the server is never in it. Undo in a text field is this one too: a field's own undo would take back letters
 * that the stack knows as part of a larger change, and the two would part.
 */
export class Store {
  private readonly current = signal<Content>(EMPTY_CONTENT);
  private readonly past = signal<Content[]>([]);
  private readonly future = signal<Content[]>([]);
  private readonly told = signal("");
  private merge: string | null = null;
  private changedAt = 0;
  private readonly listeners = new Set<Listener>();
  private readonly now: () => number;

  constructor(now: () => number = Date.now) {
    this.now = now;
  }

  /** What was last undone or redone, for whoever cannot see it. */
  get said(): ReadonlySignal<string> {
    return this.told;
  }

  /** What undo and redo would do, in a few words; null if there is nothing. */
  get undoes(): string | null {
    const before = this.past.value.at(-1);
    return before ? changeBetween(before, this.current.value) : null;
  }

  get redoes(): string | null {
    const after = this.future.value.at(-1);
    return after ? changeBetween(this.current.value, after) : null;
  }

  get content(): ReadonlySignal<Content> {
    return this.current;
  }

  get canUndo(): boolean {
    return this.past.value.length > 0;
  }

  get canRedo(): boolean {
    return this.future.value.length > 0;
  }

  change(edit: (content: Content) => Content, merge: string | null = null): void {
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
  load(content: Content, source: Source): void {
    this.past.value = [];
    this.future.value = [];
    this.merge = null;
    this.told.value = "";
    this.set(content, source);
  }

  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private set(content: Content, source: Source): void {
    this.current.value = content;
    for (const listener of this.listeners) listener(content, source);
  }
}
