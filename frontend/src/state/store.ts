import type { Content } from "../api/types";
import { changeBetween } from "./describe";
import { History } from "./history";

export const EMPTY_CONTENT: Content = { answer: null, confidence: null, rois: [], steps: [], entities: [] };

/** A reading's content with one undo stack over everything in it: shapes, texts, links, order, labels, answer. */
export class Store extends History<Content> {
  constructor(now?: () => number) {
    super(EMPTY_CONTENT, changeBetween, now);
  }
}
