// Comments beside the readings: about the case, or about a part of what somebody said.
import type { JSX } from "preact";
import type { Comment, NewComment } from "../comments/data";
import { CommentsPanel } from "../comments/Panel";
import { comments, readings } from "./state";

/** What a thread is about, in words. */
function aboutWords(comment: Comment): string {
  const said = readings.value.find((one) => one.reading === comment.reading);
  const who = said ? `${said.reader}, ` : "";
  if (comment.anchor === "case") return said ? `${said.reader}'s reading` : "the case";
  if (comment.anchor === "field") return `${who}${comment.anchor_id}`;
  const rows = comment.anchor === "step" ? said?.content.steps : said?.content.rois;
  const at = (rows ?? []).findIndex((row) => row.id === comment.anchor_id) + 1;
  return `${who}${comment.anchor === "step" ? "step" : "region"} ${at || "of an earlier revision"}`;
}

/** What can be commented on: the case, and each step and region of each reading. */
function anchors(): [string, NewComment][] {
  const found: [string, NewComment][] = [["The case", { text: "" }]];
  for (const said of readings.value) {
    const reading = said.reading;
    found.push([`${said.reader}: answer`, { text: "", anchor: "field", anchor_id: "answer", reading }]);
    said.content.steps.forEach((step, at) => {
      found.push([`${said.reader}: step ${at + 1}`, { text: "", anchor: "step", anchor_id: step.id, reading }]);
    });
    said.content.rois.forEach((roi, at) => {
      found.push([`${said.reader}: region ${at + 1}`, { text: "", anchor: "roi", anchor_id: roi.id, reading }]);
    });
  }
  return found;
}

export function Comments(): JSX.Element {
  return <CommentsPanel comments={comments} about={aboutWords} anchors={anchors()} />;
}
