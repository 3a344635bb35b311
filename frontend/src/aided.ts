// The reading page in the aided arm: the same workspace over one case, with models beside it and no lease.
import { h, render } from "preact";
import type { WorkspaceData } from "./api/types";
import { Workspace } from "./panels/Workspace";
import { AidedSession } from "./state/aided";
import { loadBindings } from "./tools/bindings";
import { KEYMAP } from "./tools/keymap";
import { bindKeys } from "./tools/keys";
import "./styles/reading.css";
import "./styles/aided.css";

function start(root: HTMLElement, data: WorkspaceData): void {
  const session = new AidedSession(data);
  render(h(Workspace, { session }), root);
  loadBindings(data.user.id, KEYMAP);
  bindKeys(session);
  const flush = (): void => void session.autosave.peek()?.flush();
  window.addEventListener("online", flush);
  window.addEventListener("focus", flush);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") flush();
  });
  void session.start();
  void session.aid.load();
}

const root = document.getElementById("workspace");
const json = document.getElementById("workspace-data")?.textContent;
if (root && json) start(root, JSON.parse(json) as WorkspaceData);
