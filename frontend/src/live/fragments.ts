// Parts of a server-made page that keep themselves true. `<section id="exports" data-live="export.changed"
// data-live-where="snapshot=…">` is fetched anew, with the page that holds it, when such an event is heard.
import { gathered, listen, type Told } from "./stream";

const GATHER_MS = 400;
// After a page that was slow to make, the next waits longer: events of a long run come every second.
const REST_FACTOR = 5;
const FIELDS = new Set(["INPUT", "SELECT", "TEXTAREA"]);

function concerns(part: HTMLElement, event: Told): boolean {
  if (!(part.dataset.live ?? "").split(" ").includes(event.type)) return false;
  const [name, value] = (part.dataset.liveWhere ?? "").split("=");
  return !name || event[name] === undefined || event[name] === value;
}

/** A part as the server sent it: without what scripts drew into it and what the reader folded out. */
function asSent(part: HTMLElement): Node {
  const copy = part.cloneNode(true) as HTMLElement;
  for (const drawn of copy.querySelectorAll("[data-drawn]")) drawn.remove();
  for (const open of copy.querySelectorAll("details[id][open]")) open.removeAttribute("open");
  return copy;
}

/** Put the fresh parts in the old ones' place; a part in which somebody is typing stays as it is. */
export function replaceParts(page: Document, fresh: Document): void {
  for (const part of page.querySelectorAll<HTMLElement>("[data-live][id]")) {
    const next = fresh.getElementById(part.id);
    const active = page.activeElement;
    const isHeld = active !== null && part.contains(active) && FIELDS.has(active.tagName);
    if (!next || isHeld || asSent(part).isEqualNode(asSent(next))) continue;
    const focused = active instanceof HTMLElement && part.contains(active) ? active.id : "";
    const open = [...part.querySelectorAll("details[id][open]")].map((one) => one.id);
    part.replaceWith(page.importNode(next, true));
    for (const id of open) page.getElementById(id)?.setAttribute("open", "");
    if (focused) page.getElementById(focused)?.focus();
  }
}

async function refresh(): Promise<void> {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  // Signed out, or the server is away: what is shown stays; the next event tries again.
  if (!answer?.ok || new URL(answer.url).pathname !== location.pathname) return;
  replaceParts(document, new DOMParser().parseFromString(await answer.text(), "text/html"));
}

/** A function that runs `act` soon, never twice at a time, and rests after it for REST_FACTOR times what it took. */
export function paced(act: () => Promise<void>, ms: number): () => void {
  let isAtIt = false;
  let isWanted = false;
  const { soon } = gathered(() => void run(), ms);
  async function run(): Promise<void> {
    if (isAtIt) {
      isWanted = true;
      return;
    }
    isAtIt = true;
    const began = performance.now();
    await act();
    setTimeout(
      () => {
        isAtIt = false;
        if (isWanted) soon();
        isWanted = false;
      },
      (performance.now() - began) * REST_FACTOR,
    );
  }
  return soon;
}

/** Follow the stream if the page has such parts. */
export function keepTrue(): void {
  if (!document.querySelector("[data-live]")) return;
  const soon = paced(refresh, GATHER_MS);
  let isFirst = true;
  listen(
    (event) => {
      const parts = document.querySelectorAll<HTMLElement>("[data-live]");
      if ([...parts].some((part) => concerns(part, event))) soon();
    },
    () => {
      if (!isFirst) soon();
      isFirst = false;
    },
  );
}
