// The comments of one case: fetched, written, settled; what a call was refused for stands beside them.
import { signal } from "@preact/signals";
import { ApiError } from "../api/client";
import {
  type Comment,
  fetchComments,
  fetchUnseen,
  markSeen,
  type NewComment,
  settleComment,
  writeComment,
} from "./data";

export class Comments {
  readonly all = signal<Comment[]>([]);
  readonly trouble = signal("");
  readonly isLoaded = signal(false);
  private readonly caseId: () => string;

  constructor(caseId: () => string) {
    this.caseId = caseId;
  }

  /** Everything that one may see; whoever is named has seen it then. */
  async load(): Promise<void> {
    try {
      this.all.value = (await fetchComments(this.caseId())).results;
      this.isLoaded.value = true;
      const unseen = (await fetchUnseen()).results.filter((one) => one.case === this.caseId());
      await Promise.all(unseen.map((one) => markSeen(one.comment)));
    } catch (error) {
      this.fail(error, "The comments could not be fetched.");
    }
  }

  write(body: NewComment): Promise<boolean> {
    return this.send(() => writeComment(this.caseId(), body));
  }

  settle(comment: Comment): Promise<boolean> {
    return this.send(() => settleComment(comment.id, comment.resolved_at === null ? "resolve" : "reopen"));
  }

  private async send(act: () => Promise<unknown>): Promise<boolean> {
    this.trouble.value = "";
    try {
      await act();
      await this.load();
      return true;
    } catch (error) {
      this.fail(error, "The comment could not be sent; it is still here.");
      return false;
    }
  }

  private fail(error: unknown, otherwise: string): void {
    this.trouble.value = error instanceof ApiError ? error.message : otherwise;
  }
}
