import { type ReadonlySignal, signal } from "@preact/signals";
import type { Label, Roi, Shape } from "../api/types";
import type { FrameCache } from "../viewer/frames";
import type { Tool } from "./cells";
import type { Undo } from "./history";
import { type RoiLook, takesShape } from "./labels";
import { Views } from "./views";

/** Images on show and the regions drawn on them: what viewports and tools work on, whatever the regions belong to. */
export abstract class Board extends Views {
  readonly selected = signal<string | null>(null);
  readonly hovered = signal<ReadonlySet<string>>(new Set());
  /** The label in the hand, for what is drawn next. */
  readonly label = signal<string | null>(null);

  /** The tools that can be taken now. */
  abstract get tools(): readonly Tool[];
  abstract readonly frames: FrameCache;
  abstract readonly rois: ReadonlySignal<Roi[]>;
  abstract readonly labels: readonly Label[];
  abstract readonly store: Undo;

  /** Whether regions can be drawn and changed now. */
  abstract get canDraw(): boolean;
  abstract addRoi(roi: Roi): void;
  /** Changes with the same `merge` key one after the other are one undo. */
  abstract changeRoi(id: string, edit: (roi: Roi) => Roi, merge?: string): void;
  abstract deleteRoi(id: string): void;
  /** Colour and line of a label's regions. */
  abstract lookOf(label: string | null): RoiLook;
  /** What a screen reader says of a region. */
  abstract sentence(roi: Roi, number: number): string;
  /** Says in passing why something was not done. */
  abstract tell(text: string): void;

  /** How a region is numbered on the image. */
  tagOf(number: number): string {
    return String(number);
  }

  /** Whether the wheel over an image is for the image, not for the page around it. */
  get takesWheel(): boolean {
    return true;
  }

  reveal(roi: Roi): void {
    this.goTo(roi);
    this.selected.value = roi.id;
  }

  /** Shows an image and a frame, in the viewport that has the image already if there is one. */
  goTo(roi: Pick<Roi, "image" | "frame">): void {
    const holder = this.cells.peek().findIndex((cell) => cell.image.peek() === roi.image);
    this.show(roi.image, roi.frame, holder >= 0 ? holder : this.activeCell.peek());
  }

  /** The label in the hand, or the only one there is, if it may be drawn in this shape. */
  labelFor(shape: Shape): string | null {
    const wanted = this.label.peek() ?? (this.labels.length === 1 ? this.labels[0]?.id : null);
    const found = this.labels.find((one) => one.id === wanted);
    return found && takesShape(found, shape) ? found.id : null;
  }

  protected override resetViews(): void {
    super.resetViews();
    this.selected.value = null;
    this.hovered.value = new Set();
  }
}
