// The images of the case under review: the gold is drawn on them as a reading is, over what the readers drew.
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { ImageInfo, Label, Roi } from "../api/types";
import { Board } from "../state/board";
import { LOOKING, newCell, type Tool } from "../state/cells";
import { labelName, type RoiLook } from "../state/labels";
import { rememberedLayout } from "../state/layouts";
import { FrameCache } from "../viewer/frames";
import { isLinkedAtFirst } from "../viewer/linked";
import { isCrossing } from "../viewer/sentence";
import { addRoi, changeRoi, removeRoi } from "./merge";
import { change, draft, history, page, readings, refusal, shownGold } from "./state";

/** Points and lines have no area and are in no consensus: the gold is made of regions. */
const DRAWING: readonly Tool[] = [...LOOKING, "box", "ellipse", "polygon", "freehand", "brush", "eraser"];
const GOLD: RoiLook = { colour: "var(--roi-consensus)", dash: "none" };

export class ReviewBoard extends Board {
  readonly frames = new FrameCache("/api/v1/");
  readonly store = history;
  readonly images: ReadonlySignal<ImageInfo[]> = computed(() => page.value?.case.images ?? []);
  readonly rois: ReadonlySignal<Roi[]> = computed(() => shownGold.value.rois);
  /** Whether the hand was on the images last: their keys and the wheel are theirs then, and the page's own else. */
  readonly isInHand = signal(false);

  get labels(): readonly Label[] {
    return page.value?.protocol.labels ?? [];
  }

  get tools(): readonly Tool[] {
    return this.canDraw ? DRAWING : LOOKING;
  }

  get canDraw(): boolean {
    return draft.value !== null;
  }

  override get takesWheel(): boolean {
    return this.isInHand.peek();
  }

  // Apart from the reading page's: an adjudicator looks at one image closely, beside the readings.
  protected get reader(): string {
    return `${page.value?.user.id}:review`;
  }

  /** Viewports for the case's images. */
  open(): void {
    const count = this.images.peek().length;
    this.resetViews();
    this.tool.value = "select";
    this.cells.value = [newCell(null)];
    this.setLayout(rememberedLayout(this.reader, count) ?? "1x1");
    this.linked.value = isLinkedAtFirst(this.images.peek());
  }

  /** Begins where somebody drew something. */
  begin(): void {
    const first = readings.peek().flatMap((one) => one.content.rois)[0] ?? this.rois.peek()[0];
    if (first) this.goTo(first);
  }

  addRoi(roi: Roi): void {
    change((now) => addRoi(now, roi));
  }

  changeRoi(id: string, edit: (roi: Roi) => Roi, merge?: string): void {
    change((now) => changeRoi(now, id, edit), { merge });
  }

  deleteRoi(id: string): void {
    change((now) => removeRoi(now, id));
  }

  lookOf(): RoiLook {
    return GOLD;
  }

  override tagOf(number: number): string {
    return `Gold ${number}`;
  }

  sentence(roi: Roi, number: number): string {
    const flag = isCrossing(roi) ? "crosses itself" : "";
    const name = labelName(roi.label, this.labels) || "no label";
    return [`Gold region ${number}`, name, roi.shape, `image ${roi.image}`, flag].filter(Boolean).join(", ");
  }

  tell(text: string): void {
    refusal.value = text;
  }
}

export const board = new ReviewBoard();
