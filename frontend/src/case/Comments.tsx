// Comments on the comparison page: for a reader the threads about what they said, and those that they began.
import type { JSX } from "preact";
import type { Comment, NewComment } from "../comments/data";
import { CommentsPanel } from "../comments/Panel";
import { Comments } from "../comments/thread";
import { caseData, scores } from "./state";

export const comments = new Comments(() => caseData.value?.case.id ?? "");

/** What a thread is about, in words: what is not on this page is named by its kind alone. */
export function aboutWords({ anchor, anchor_id, reading }: Comment): string {
  const said = scores.value?.readings.find((one) => one.id === reading);
  const who = said ? `${said.reader}: ` : "";
  if (anchor === "case") return said ? `${said.reader}'s reading` : "the case";
  if (anchor === "field") return `${who}${anchor_id}`;
  if (anchor === "step") return `${who}a step`;
  const at = (said?.rois.findIndex((roi) => roi.id === anchor_id) ?? -1) + 1;
  return at > 0 ? `${who}region ${at}` : `${who}a region`;
}

/** What can be commented on from here: the case, and of each reading that one may see its answer and regions. */
export function anchors(): [string, NewComment][] {
  const found: [string, NewComment][] = [["The case", { text: "" }]];
  for (const { id, reader, rois } of scores.value?.readings ?? []) {
    found.push([`${reader}: answer`, { text: "", anchor: "field", anchor_id: "answer", reading: id }]);
    rois.forEach((roi, at) => {
      found.push([`${reader}: region ${at + 1}`, { text: "", anchor: "roi", anchor_id: roi.id, reading: id }]);
    });
  }
  return found;
}

export function CaseComments(): JSX.Element {
  return <CommentsPanel comments={comments} about={aboutWords} anchors={anchors()} />;
}
