import { type ReadonlySignal, signal } from "@preact/signals";
import type { Content } from "../api/types";

/** LOCAL: the reader did it and it is to be saved. REMOTE: it came from the server and is saved already. */
export type Source = "LOCAL" | "REMOTE";
export type Listener = (content: Content, source: Source) => void;

export const EMPTY_CONTENT: Content = { answer: null, confidence: null, rois: [], steps: [], entities: [] };

const MOST_UNDO = 500;

/**
 * A reading's content with one undo stack over everything in it.
 *
 * Content is never changed in place, so a snapshot costs the changed branch only. Changes with the same `merge` key one
 * after the other (letters typed in one field, one drag) are one undo.
 */
export class Store {
  private readonly current = signal<Content>(EMPTY_CONTENT);
  private readonly past = signal<Content[]>([]);
  private readonly future = signal<Content[]>([]);
  private merge: string | null = null;
  private readonly listeners = new Set<Listener>();

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
    if (merge === null || merge !== this.merge) this.past.value = [...this.past.peek(), before].slice(-MOST_UNDO);
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
    this.past.value = this.past.peek().slice(0, -1);
    this.future.value = [...this.future.peek(), this.current.peek()];
    this.merge = null;
    this.set(before, "LOCAL");
  }

  /** Undoes the last change as if it had never been: a cancelled drag is not there to be redone. */
  takeBack(): void {
    this.undo();
    this.future.value = this.future.peek().slice(0, -1);
  }

  redo(): void {
    const after = this.future.peek().at(-1);
    if (after === undefined) return;
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
