// The comparison on a case page: where the expert pointed, where the model looked.
import { effect } from "@preact/signals";
import { h, render } from "preact";
import { CaseComments, comments } from "./case/Comments";
import type { CaseData } from "./case/data";
import { follow } from "./case/live";
import { CasePage } from "./case/Page";
import { caseData, layer, load, loadHeat, mapKind, place, prediction, wantedModel } from "./case/state";
import "./styles/comments.css";
import "./styles/case.css";

function start(root: HTMLElement, data: CaseData): void {
  caseData.value = data;
  const id = data.case.id;
  wantedModel.value = new URLSearchParams(location.search).get("model");
  root.replaceChildren();
  render(h(CasePage, {}), root);
  void load(id);
  follow(id, () => void load(id));
  const beside = document.getElementById("case-comments");
  if (beside) {
    render(h(CaseComments, {}), beside);
    void comments.load();
    follow(id, () => void comments.load(), new Set(["comment.changed"]));
  }
  effect(() => {
    // Whatever of these changes, another map is on show.
    void [
      prediction.value?.id,
      prediction.value?.state,
      place.value.image,
      place.value.frame,
      layer.value,
      mapKind.value,
    ];
    void loadHeat();
  });
}

const root = document.getElementById("case-live");
const json = document.getElementById("case-data")?.textContent;
if (root && json) start(root, JSON.parse(json) as CaseData);
