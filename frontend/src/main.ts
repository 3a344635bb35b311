// The reading page: mounts on #workspace with what the server wrote into #workspace-data.
import { h, render } from "preact";
import type { WorkspaceData } from "./api/types";
import { Workspace } from "./panels/Workspace";
import { keepLease } from "./state/lease";
import { sendLeftovers } from "./state/leftovers";
import { Session } from "./state/session";
import { loadBindings } from "./tools/bindings";
import { KEYMAP } from "./tools/keymap";
import { bindKeys } from "./tools/keys";
import "./styles/reading.css";

function start(root: HTMLElement, data: WorkspaceData): void {
  const session = new Session(data);
  render(h(Workspace, { session }), root);
  loadBindings(data.user.id, KEYMAP);
  bindKeys(session);
  keepLease(session);
  const flush = (): void => void session.autosave.peek()?.flush();
  window.addEventListener("online", flush);
  window.addEventListener("focus", flush);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") flush();
  });
  void session
    .start()
    .then(() => sendLeftovers(data.urls.api, data.user.id, session.handed.peek()?.reading.id ?? null))
    .catch(() => undefined);
}

const root = document.getElementById("workspace");
const json = document.getElementById("workspace-data")?.textContent;
if (root && json) start(root, JSON.parse(json) as WorkspaceData);
