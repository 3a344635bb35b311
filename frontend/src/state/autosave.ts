import { type ReadonlySignal, signal } from "@preact/signals";
import type { Content } from "../api/types";
import type { Queue } from "./queue";
import { type SavedAnswer, type SaveState, stateAfter } from "./savestate";

export interface AutosaveParts<T = Content> {
  queue: Queue<T>;
  version: number;
  savedAt: string | null;
  put: (body: T & { version: number }) => Promise<SavedAnswer>;
  now?: () => Date;
}

/** Waits this long for the next change before it sends; the promise is two seconds at most. */
export const QUIET_MS = 800;
export const LONGEST_WAIT_MS = 1600;
const RETRY_MS = [1000, 2000, 4000, 8000, 15000];

/**
 * Saves every change: to this computer at once, to the server within two seconds.
 *
 * One request is under way at a time and carries the version it was made from. Whatever happens to it, the content stays
 * on this computer until the server has acknowledged that very content.
 */
export class Autosave<T extends object = Content> {
  private readonly current = signal<SaveState<T>>({ kind: "saved", at: null });
  private readonly parts: AutosaveParts<T>;
  private content: T | null = null;
  private changes = 0;
  private firstChangeAt = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private inFlight: Promise<void> | null = null;
  private failures = 0;
  private lockedAt: string | null = null;
  private writing: Promise<void> = Promise.resolve();
  version: number;

  constructor(parts: AutosaveParts<T>) {
    this.parts = parts;
    this.version = parts.version;
    this.current.value = { kind: "saved", at: parts.savedAt };
  }

  get state(): ReadonlySignal<SaveState<T>> {
    return this.current;
  }

  get isClean(): boolean {
    return this.content === null;
  }

  /** Takes up what an earlier page left on this computer; returns its content, or null if there is nothing. */
  async restore(): Promise<T | null> {
    const unsent = await this.parts.queue.unsent();
    if (unsent === undefined) return null;
    this.content = unsent.content;
    this.changes = unsent.changes;
    // Sent over the version it was made from: if the server has moved on, it says so and both are shown.
    this.version = unsent.version;
    this.schedule(0);
    return unsent.content;
  }

  changed(content: T): void {
    this.content = content;
    this.changes += 1;
    const kind = this.current.peek().kind;
    if (kind === "locked") this.setAside(content);
    else this.keep();
    if (kind === "conflict" || kind === "locked") return;
    const now = Date.now();
    if (this.timer === null) this.firstChangeAt = now;
    const left = Math.max(0, this.firstChangeAt + LONGEST_WAIT_MS - now);
    if (kind === "offline") this.current.value = { kind, changes: this.changes };
    else if (kind === "signed-out") this.current.value = { kind, changes: this.changes };
    else this.current.value = { kind: "saving" };
    if (kind === "offline" && this.timer !== null) return;
    this.schedule(Math.min(QUIET_MS, left));
  }

  /** Sends now; true if the server holds everything. */
  async flush(): Promise<boolean> {
    if (this.inFlight) await this.inFlight;
    if (this.content !== null && this.canSend()) await this.send();
    if (this.content !== null && this.canSend() && this.failures === 0) await this.send();
    await this.writing;
    return this.content === null;
  }

  /** After two versions: "mine" goes over the stored one; "theirs" is taken. The other is kept on this computer. */
  async resolve(choice: "mine" | "theirs"): Promise<T | null> {
    const state = this.current.peek();
    if (state.kind !== "conflict") return null;
    const other = choice === "mine" ? state.theirs : (this.content ?? state.mine);
    await this.parts.queue.keepOther({ content: other, at: this.now().toISOString(), why: `chose ${choice}` });
    this.version = state.version;
    if (choice === "theirs") {
      this.settle(this.now().toISOString());
      return state.theirs;
    }
    this.current.value = { kind: "saving" };
    this.keep();
    await this.send();
    return null;
  }

  /** Another call found that the server has another version: nothing is sent until the reader chooses. */
  found(mine: T, theirs: T, version: number): void {
    this.content = mine;
    this.current.value = { kind: "conflict", mine, theirs, version };
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private now(): Date {
    return this.parts.now?.() ?? new Date();
  }

  private canSend(): boolean {
    const kind = this.current.peek().kind;
    return kind !== "conflict" && kind !== "locked";
  }

  private keep(): void {
    const content = this.content;
    if (content === null) return;
    const unsent = { content, version: this.version, changes: this.changes, at: this.now().toISOString() };
    // One after the other, so that an older state never lands on a newer one. A browser without storage still saves.
    this.writing = this.writing.then(() => this.parts.queue.keepUnsent(unsent)).catch(() => undefined);
  }

  private schedule(delay: number): void {
    this.stop();
    this.timer = setTimeout(() => {
      this.timer = null;
      void this.send();
    }, delay);
  }

  private send(): Promise<void> {
    if (this.inFlight) return this.inFlight;
    this.stop();
    const content = this.content;
    if (content === null || !this.canSend()) return Promise.resolve();
    this.inFlight = this.attempt(content).finally(() => {
      this.inFlight = null;
      if (this.content !== null && this.failures === 0 && this.canSend() && this.timer === null)
        this.schedule(QUIET_MS);
    });
    return this.inFlight;
  }

  private async attempt(content: T): Promise<void> {
    const sent = this.changes;
    if (this.failures === 0) this.current.value = { kind: "saving" };
    try {
      const answer = await this.parts.put({ ...content, version: this.version });
      this.failures = 0;
      this.version = answer.version;
      if (this.content === content) this.settle(answer.saved_at);
      else {
        this.changes -= sent;
        this.keep();
      }
    } catch (error) {
      this.failed(error, content);
    }
  }

  private settle(savedAt: string | null): void {
    this.content = null;
    this.changes = 0;
    this.failures = 0;
    this.writing = this.writing.then(() => this.parts.queue.dropUnsent()).catch(() => undefined);
    this.current.value = { kind: "saved", at: savedAt };
  }

  private failed(error: unknown, mine: T): void {
    this.failures += 1;
    const state = stateAfter(error, mine, this.changes);
    this.current.value = state;
    if (state.kind === "offline") this.schedule(RETRY_MS[Math.min(this.failures, RETRY_MS.length) - 1] ?? 15000);
    if (state.kind === "locked") this.setAside(mine);
  }

  /** A reading that was closed elsewhere takes no draft any more: what differs is kept, and waits for nothing. */
  private setAside(content: T): void {
    this.lockedAt ??= this.now().toISOString();
    const kept = { content, at: this.lockedAt, why: "closed elsewhere" };
    const { queue } = this.parts;
    this.writing = this.writing
      .then(() => queue.keepOther(kept))
      .then(() => queue.dropUnsent())
      .catch(() => undefined);
  }
}
