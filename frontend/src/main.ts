// The reading page: mounts on #workspace with what the server wrote into #workspace-data.
import { h, render } from "preact";
import { hearTime } from "./api/clock";
import type { WorkspaceData } from "./api/types";
import { listen } from "./live/stream";
import { Workspace } from "./panels/Workspace";
import { lookAhead } from "./state/ahead";
import { beat, keepLease, leaseHeard } from "./state/lease";
import { sendLeftovers } from "./state/leftovers";
import { lookOut } from "./state/lookout";
import { watchPresence } from "./state/presence";
import { Session } from "./state/session";
import { loadBindings } from "./tools/bindings";
import { KEYMAP } from "./tools/keymap";
import { bindKeys } from "./tools/keys";
import "./styles/reading.css";

/** The page's own answer says what time it was; it came before this script ran. */
function hearPageTime(now: string | undefined): void {
  const page = performance.getEntriesByType("navigation")[0] as PerformanceNavigationTiming | undefined;
  const came = page?.responseStart ?? performance.now();
  if (now) hearTime(Date.parse(now), page?.requestStart ?? came, came);
}

/** Keeps the case while somebody reads it, and looks for one while there is none. */
function attend(session: Session): void {
  keepLease(session);
  lookAhead(session);
  const lookout = lookOut(session);
  watchPresence(() => {
    if (session.handed.peek()) void beat(session);
    else lookout.back();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") lookout.back();
  });
  listen((event) => {
    leaseHeard(session, event);
    lookout.heard(event);
  }, lookout.back);
}

function start(root: HTMLElement, data: WorkspaceData): void {
  hearPageTime(data.now);
  const session = new Session(data);
  render(h(Workspace, { session }), root);
  loadBindings(data.user.id, KEYMAP);
  bindKeys(session);
  attend(session);
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
