// The review page: readings side by side, and the gold that somebody puts together from them.
import { h, render } from "preact";
import { gathered, listen } from "./live/stream";
import { board } from "./review/board";
import type { ReviewPage } from "./review/data";
import { OTHER_KEYS, REVIEW_KEYMAP } from "./review/keys";
import { ReviewView } from "./review/Page";
import { comments, guardLeaving, load, page } from "./review/state";
import { loadBindings } from "./tools/bindings";
import "./styles/comments.css";
import "./styles/review.css";

const KINDS = new Set(["review.changed", "reading.submitted", "case.changed"]);
const GATHER_MS = 150;

function start(root: HTMLElement, data: ReviewPage): void {
  page.value = data;
  board.open();
  loadBindings(data.user.id ?? "", [...REVIEW_KEYMAP, ...OTHER_KEYS]);
  root.replaceChildren();
  render(h(ReviewView, {}), root);
  const readings = gathered(() => void load(), GATHER_MS);
  const said = gathered(() => void comments.load(), GATHER_MS);
  guardLeaving();
  listen(
    (event) => {
      if (event.case !== data.case.id) return;
      if (KINDS.has(event.type)) readings.soon();
      if (event.type === "comment.changed") said.soon();
    },
    () => {
      readings.soon();
      said.soon();
    },
  );
  void load().then(() => board.begin());
  void comments.load();
}

const root = document.getElementById("review-live");
const json = document.getElementById("review-data")?.textContent;
if (root && json) start(root, JSON.parse(json) as ReviewPage);
