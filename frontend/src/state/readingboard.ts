import { computed } from "@preact/signals";
import type { Label, Roi, WorkspaceData } from "../api/types";
import { roiSentence } from "../viewer/sentence";
import { Board } from "./board";
import { TOOLS, type Tool } from "./cells";
import { changeRoi, deleteRoi } from "./edits";
import type { Form } from "./form";
import { lookOf, type RoiLook } from "./labels";
import { Store } from "./store";

/** The board of a reading: what is drawn goes into its content, and into the step that is being written. */
export abstract class ReadingBoard extends Board {
  readonly data: WorkspaceData;
  readonly store = new Store();
  readonly rois = computed<Roi[]>(() => this.store.content.value.rois);
  abstract readonly form: Form;

  constructor(data: WorkspaceData) {
    super();
    this.data = data;
  }

  get labels(): readonly Label[] {
    return this.data.protocol.labels;
  }

  get tools(): readonly Tool[] {
    return TOOLS;
  }

  get canDraw(): boolean {
    return true;
  }

  addRoi(roi: Roi): void {
    this.form.add(roi);
  }

  changeRoi(id: string, edit: (roi: Roi) => Roi, merge: string | null = null): void {
    this.store.change((content) => changeRoi(content, id, edit), merge);
  }

  deleteRoi(id: string): void {
    this.store.change((content) => deleteRoi(content, id));
  }

  lookOf(label: string | null): RoiLook {
    return lookOf(label, this.labels);
  }

  sentence(roi: Roi, number: number): string {
    return roiSentence(this, roi, number);
  }
}
