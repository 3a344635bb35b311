import { computed, effect, type Signal, signal } from "@preact/signals";
import { ApiError, call } from "../api/client";
import type { Content, FieldError, HandedOut, ImageInfo, Next, NothingLeft, WorkspaceData } from "../api/types";
import { FrameCache } from "../viewer/frames";
import type { Aid } from "./aided";
import { Autosave } from "./autosave";
import { LOOKING, type Tool } from "./cells";
import type { Feedback } from "./feedback";
import { Form } from "./form";
import type { Standing } from "./lease";
import { remember, rememberedFlag, rememberedNumber } from "./prefs";
import { readingQueue } from "./queue";
import { ReadingBoard } from "./readingboard";
import type { SavedAnswer } from "./savestate";
import { EMPTY_CONTENT } from "./store";

export type DialogName = "keys" | "leave" | "versions" | null;

export interface Toast {
  text: string;
  link: { href: string; text: string } | null;
  also?: { href: string; text: string };
}

/** Everything the reading page knows; panels, tools and the viewer read its signals and call its methods. */
export class Session extends ReadingBoard {
  readonly frames: FrameCache;
  readonly next: Signal<Next | null>;
  readonly autosave = signal<Autosave | null>(null);
  readonly done: Signal<number>;
  readonly total: number;
  readonly leaseUntil = signal<string | null>(null);
  readonly standing = signal<Standing>("held");
  /** Whether the page asks for a case by itself while there is none. */
  readonly isLooking = signal(true);
  readonly loadFailure = signal<ApiError | null>(null);

  readonly activeStep = signal<string | null>(null);
  readonly panel = signal(true);
  /** The right-hand panel's width in CSS pixels; null for the page's own. */
  readonly panelWidth = signal<number | null>(null);
  readonly dialog = signal<DialogName>(null);
  readonly toast = signal<Toast | null>(null);
  readonly errors = signal<FieldError[]>([]);
  readonly notice = signal<string | null>(null);
  readonly submitting = signal(false);
  /** In training, what the gold says of the reading just submitted, until the next case is asked for. */
  readonly feedback = signal<Feedback | null>(null);

  readonly handed = computed<HandedOut | null>(() => {
    const next = this.next.value;
    return next?.case ? (next as HandedOut) : null;
  });
  readonly nothing = computed<NothingLeft | null>(() => {
    const next = this.next.value;
    return next && next.case === null ? (next as NothingLeft) : null;
  });
  readonly images = computed<ImageInfo[]>(() => this.handed.value?.case.images ?? []);

  /** What is wrong, by field: what kept the reading from being submitted, else why the draft is not taken. */
  readonly faults = computed<FieldError[]>(() => {
    const saving = this.autosave.value?.state.value;
    if (this.errors.value.length > 0) return this.errors.value;
    return saving?.kind === "refused" ? saving.errors : [];
  });
  readonly form: Form;

  constructor(data: WorkspaceData) {
    super(data);
    const { store, images, activeStep } = this;
    this.form = new Form({ protocol: data.protocol, store, images, activeStep });
    this.frames = new FrameCache(data.urls.api);
    this.next = signal(data.next);
    this.done = signal(data.progress.done);
    this.total = data.progress.total;
    this.store.listen((content, source) => {
      if (source === "LOCAL") this.autosave.peek()?.changed(content);
      if (this.errors.peek().length) this.errors.value = [];
    });
    this.panel.value = rememberedFlag(data.user.id, "panel", true);
    this.panelWidth.value = rememberedNumber(data.user.id, "panel-width", 300, 720);
    effect(() => this.form.follow(this.cell().image.value, false));
  }

  /** When this case came after a submit, in milliseconds; 0 for the first one. */
  followedAt = 0;

  /** What models say, in the aided arm; nothing before the own submit. */
  get aided(): Aid | null {
    return null;
  }

  /** Whether what is on the desk is submitted, and only looked at. */
  get isLocked(): boolean {
    return this.feedback.value !== null;
  }

  override get canDraw(): boolean {
    return !this.isLocked;
  }

  override get tools(): readonly Tool[] {
    return this.isLocked ? LOOKING : super.tools;
  }

  protected get reader(): string {
    return this.data.user.id;
  }

  get api(): string {
    return this.data.urls.api;
  }

  /** Opens the case that is handed out, or asks for one. */
  async start(): Promise<void> {
    if (this.next.peek() === null || this.nothing.peek()) await this.askNext();
    else await this.open();
  }

  private asking: Promise<void> | null = null;

  /** Asks for a case; while an answer is awaited it is the same question. */
  askNext(): Promise<void> {
    this.asking ??= this.ask().finally(() => {
      this.asking = null;
    });
    return this.asking;
  }

  private async ask(): Promise<void> {
    try {
      this.next.value = await call<Next>(`${this.api}benchmarks/${this.data.benchmark.slug}/next/`, { method: "POST" });
      this.loadFailure.value = null;
      await this.open();
    } catch (error) {
      this.loadFailure.value = error instanceof ApiError ? error : new ApiError(0, null, String(error));
    }
  }

  tell(text: string): void {
    this.toast.value = { text, link: null };
  }

  togglePanel(): void {
    this.panel.value = !this.panel.peek();
    remember(this.data.user.id, "panel", this.panel.peek());
  }

  private async open(): Promise<void> {
    this.autosave.peek()?.stop();
    const handed = this.handed.peek();
    this.reset();
    if (!handed) {
      this.autosave.value = null;
      this.store.load(EMPTY_CONTENT, "REMOTE");
      return;
    }
    const { reading } = handed;
    this.standing.value = "held";
    this.leaseUntil.value = handed.lease_expires_at;
    this.store.load({ ...EMPTY_CONTENT, ...withoutVersion(reading.content) }, "REMOTE");
    this.openViews();
    const autosave = new Autosave({
      queue: readingQueue(this.data.user.id, reading.id),
      version: reading.version,
      savedAt: reading.saved_at,
      put: (body) => call<SavedAnswer>(`${this.api}readings/${reading.id}/draft/`, { method: "PUT", body }),
    });
    this.autosave.value = autosave;
    const kept = await autosave.restore().catch(() => null);
    if (kept && this.handed.peek() === handed) this.store.load(kept, "REMOTE");
  }

  private reset(): void {
    this.resetViews();
    this.activeStep.value = null;
    this.form.reset();
    this.errors.value = [];
    this.notice.value = null;
    this.feedback.value = null;
  }
}

function withoutVersion(content: Content & { version?: number }): Content {
  const { version: _version, ...rest } = content;
  return rest;
}
