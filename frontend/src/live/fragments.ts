// Parts of a server-made page that keep themselves true. `<section id="exports" data-live="export.changed"
// data-live-where="snapshot=…">` is fetched anew, with the page that holds it, when such an event is heard.
import { gathered, listen, type Told } from "./stream";

const GATHER_MS = 400;
// After a page that was slow to make, the next waits longer: events of a long run come every second.
const REST_FACTOR = 5;
const DRAWN_WITHIN_MS = 1500;
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

/** What an element is to whoever stands on it: where it leads, or else its words. */
function nameOf(element: Element): string {
  return element.getAttribute("href") ?? element.getAttribute("aria-label") ?? element.textContent?.trim() ?? "";
}

function alike(part: ParentNode, element: Element): Element[] {
  return [...part.querySelectorAll(element.tagName)].filter((one) => nameOf(one) === nameOf(element));
}

/** Which element of a part has the focus, to be found again in the part that takes its place. */
function standing(part: HTMLElement, active: Element | null): (fresh: HTMLElement) => void {
  if (!active || !part.contains(active)) return () => {};
  const place = alike(part, active).indexOf(active);
  return (fresh) => {
    const byId = active.id ? fresh.querySelector(`#${CSS.escape(active.id)}`) : null;
    const next = byId ?? alike(fresh, active)[place];
    if (next instanceof HTMLElement) next.focus({ preventScroll: true });
  };
}

/** How far the tables of a part are scrolled, to be set again. */
function scrolled(part: HTMLElement): (fresh: HTMLElement) => void {
  const far = [...part.querySelectorAll(".table-scroll")].map((one) => one.scrollLeft);
  return (fresh) => {
    for (const [at, one] of fresh.querySelectorAll(".table-scroll").entries()) one.scrollLeft = far[at] ?? 0;
  };
}

/** Keep the height that drawings gave a part until they are drawn again, or all below would jump. */
function heldOpen(part: HTMLElement): (fresh: HTMLElement) => void {
  const height = part.querySelector("[data-drawn]") ? part.offsetHeight : 0;
  return (fresh) => {
    if (!height) return;
    fresh.style.minHeight = `${height}px`;
    setTimeout(() => fresh.removeAttribute("style"), DRAWN_WITHIN_MS);
  };
}

/** Put the fresh parts in the old ones' place; a part in which somebody is typing stays as it is. */
export function replaceParts(page: Document, fresh: Document): void {
  for (const part of page.querySelectorAll<HTMLElement>("[data-live][id]")) {
    const next = fresh.getElementById(part.id);
    const active = page.activeElement;
    const isHeld = active !== null && part.contains(active) && FIELDS.has(active.tagName);
    if (!next || isHeld || asSent(part).isEqualNode(asSent(next))) continue;
    const again = [heldOpen(part), standing(part, active), scrolled(part)];
    const open = [...part.querySelectorAll("details[id][open]")].map((one) => one.id);
    const put = page.importNode(next, true);
    part.replaceWith(put);
    for (const id of open) page.getElementById(id)?.setAttribute("open", "");
    for (const act of again) act(put);
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

/** Follow the stream if the page has such parts, while it is in view: a browser opens six connections to a server, and
 *  tabs that nobody looks at must not hold them all. */
export function keepTrue(): void {
  if (!document.querySelector("[data-live]")) return;
  const soon = paced(refresh, GATHER_MS);
  let isFirst = !document.hidden;
  let stop: (() => void) | undefined;
  const follow = (): void => {
    stop = listen(
      (event) => {
        const parts = document.querySelectorAll<HTMLElement>("[data-live]");
        if ([...parts].some((part) => concerns(part, event))) soon();
      },
      () => {
        if (!isFirst) soon();
        isFirst = false;
      },
    );
  };
  document.addEventListener("visibilitychange", () => {
    stop?.();
    stop = undefined;
    if (!document.hidden) follow();
  });
  if (!document.hidden) follow();
}
