import { computed, type ReadonlySignal, type Signal } from "@preact/signals";
import type { ImageInfo, Protocol, Roi } from "../api/types";
import { addRoi, changeStep, cite, deleteStep, uncite } from "./edits";
import { type FormRow, isDone, rowsOf, type Slot, slotsOf, withoutEmpty, withStep } from "./slots";
import type { Store } from "./store";

interface Parts {
  protocol: Protocol;
  store: Store;
  images: ReadonlySignal<ImageInfo[]>;
  activeStep: Signal<string | null>;
}

/**
 * The fields of a structured reading, and which one is active. A field has an id before it has a step, so that it can be
 * the active one; text and citations bring its step into being. Without fields (`rows` is null) steps are a free list.
 */
export class Form {
  readonly slots: ReadonlySignal<Slot[] | null>;
  readonly rows: ReadonlySignal<FormRow[] | null>;
  private readonly parts: Parts;
  private readonly ids = new Map<string, string>();

  constructor(parts: Parts) {
    this.parts = parts;
    this.slots = computed(() => slotsOf(parts.protocol, parts.images.value));
    this.rows = computed(() => {
      const slots = this.slots.value;
      return slots && rowsOf(slots, parts.store.content.value.steps, (key) => this.idOf(key));
    });
  }

  /** Another reading: its fields are other ones. */
  reset(): void {
    this.ids.clear();
  }

  row(id: string | null): FormRow | undefined {
    return id === null ? undefined : this.rows.peek()?.find((row) => row.id === id);
  }

  /** The field of a slot's path, such as `summary` or `image_finding.3`. */
  field(path: string): FormRow | undefined {
    return this.rows.peek()?.find((row) => row.key === path.replace(".", "-"));
  }

  /** How many images have a finding with a text, of how many. */
  findings(): { done: number; of: number } | null {
    const fields = this.rows.value?.filter(({ key, slot }) => slot?.kind === "image_finding" && slot.key === key);
    return fields?.length ? { done: fields.filter(isDone).length, of: fields.length } : null;
  }

  /** Whether an image's finding has a text; null where images have no field of their own. */
  isFound(image: number): boolean | null {
    const row = this.rows.value?.find(({ key }) => key === `image_finding-${image}`);
    return row ? isDone(row) : null;
  }

  /** Text goes into the field, whose step comes with the first letter and goes with the last. */
  write(row: FormRow, text: string): void {
    this.parts.store.change(
      (content) => withoutEmpty(changeStep(withStep(content, row), row.id, { text }), row),
      `text ${row.id}`,
    );
  }

  remove(id: string): void {
    this.parts.store.change((content) => deleteStep(content, id));
  }

  /** A new region, cited in the active step. */
  add(roi: Roi): void {
    const id = this.parts.activeStep.peek();
    this.parts.store.change((content) => addRoi(withStep(content, this.row(id)), roi, id, this.slots.peek() === null));
  }

  /** Cites a region in a step or a field. */
  cite(id: string, roi: string): void {
    this.parts.store.change((content) => cite(withStep(content, this.row(id)), id, roi, this.slots.peek() === null));
  }

  /** Cites a region, or takes the citation back. */
  toggle(id: string, roi: string): void {
    const step = this.parts.store.content.peek().steps.find((one) => one.id === id);
    if (step?.evidence.includes(roi)) this.uncite(id, roi);
    else this.cite(id, roi);
  }

  uncite(id: string, roi: string): void {
    const row = this.row(id);
    this.parts.store.change((content) => {
      const without = uncite(content, id, roi);
      return row ? withoutEmpty(without, row) : without;
    });
  }

  /**
   * The finding of an image becomes the active field. Where a summary or an answer is being written, only an asked-for
   * move (`isAsked`) leaves it: regions drawn on any image are then evidence for it.
   */
  follow(image: number | null, isAsked: boolean): void {
    const active = this.row(this.parts.activeStep.peek());
    const target = this.field(`image_finding.${image}`);
    if (!target || (active?.slot?.kind === "image_finding" && active.slot.image === image)) return;
    const isFinding = active === undefined || active.slot?.kind === "image_finding";
    if (isAsked || isFinding) this.parts.activeStep.value = target.id;
  }

  private idOf(key: string): string {
    const id = this.ids.get(key) ?? crypto.randomUUID();
    this.ids.set(key, id);
    return id;
  }
}
