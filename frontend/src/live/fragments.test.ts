// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from "vitest";
import { keepTrue, paced, replaceParts } from "./fragments";

const parse = (html: string): Document => new DOMParser().parseFromString(html, "text/html");

describe("parts that keep themselves true", () => {
  it("are replaced by the fresh page's, and nothing else is", () => {
    document.body.innerHTML = `<p id="x">old</p><section id="a" data-live="run.changed">1 of 2</section>`;
    replaceParts(document, parse(`<p id="x">new</p><section id="a" data-live="run.changed">2 of 2</section>`));
    expect(document.getElementById("a")?.textContent).toBe("2 of 2");
    expect(document.getElementById("x")?.textContent).toBe("old");
  });

  it("stay while somebody types in them", () => {
    document.body.innerHTML = `<section id="a" data-live="run.changed"><input id="name" value="typed"></section>`;
    document.getElementById("name")?.focus();
    replaceParts(document, parse(`<section id="a" data-live="run.changed"><input id="name"></section>`));
    expect(document.querySelector("input")?.getAttribute("value")).toBe("typed");
  });

  it("keep the focus of a button", () => {
    document.body.innerHTML = `<section id="a" data-live="run.changed">1<button id="stop">Stop</button></section>`;
    document.getElementById("stop")?.focus();
    replaceParts(document, parse(`<section id="a" data-live="run.changed">2<button id="stop">Stop</button></section>`));
    expect(document.activeElement?.id).toBe("stop");
    expect(document.getElementById("a")?.textContent).toBe("2Stop");
  });

  it("keep the focus of a link or a fold without an id, told by where it leads and what it says", () => {
    const part = (value: string): string =>
      `<section id="a" data-live="run.changed"><a href="/pairs/">${value}</a><details><summary>Numbers</summary></details><details><summary>Numbers</summary></details></section>`;
    document.body.innerHTML = part("0.70");
    document.querySelector("a")?.focus();
    replaceParts(document, parse(part("0.71")));
    expect(document.activeElement?.textContent).toBe("0.71");
    const folds = document.querySelectorAll("summary");
    folds[1]?.setAttribute("tabindex", "0");
    folds[1]?.focus();
    replaceParts(document, parse(part("0.72").replaceAll("<summary>", '<summary tabindex="0">')));
    expect(document.activeElement).toBe(document.querySelectorAll("summary")[1]);
    replaceParts(document, parse('<section id="a" data-live="run.changed">nothing</section>'));
    expect(document.activeElement).toBe(document.body);
  });

  it("keep how far a table is scrolled", () => {
    const part = (value: string): string =>
      `<section id="a" data-live="run.changed"><div class="table-scroll">${value}</div></section>`;
    document.body.innerHTML = part("1");
    const table = document.querySelector(".table-scroll");
    if (table) table.scrollLeft = 40;
    replaceParts(document, parse(part("2")));
    expect(document.querySelector(".table-scroll")?.textContent).toBe("2");
    expect(document.querySelector(".table-scroll")?.scrollLeft).toBe(40);
  });

  it("stay with what a script drew into them while what was sent is the same", () => {
    const sent = '<section id="a" data-live="run.changed"><figure>1</figure></section>';
    document.body.innerHTML = sent;
    const drawn = document.createElement("div");
    drawn.dataset.drawn = "300";
    document.querySelector("figure")?.append(drawn);
    replaceParts(document, parse(sent));
    expect(document.querySelector("[data-drawn]")).toBe(drawn);
    replaceParts(document, parse(sent.replace("1", "2")));
    expect(document.querySelector("[data-drawn]")).toBeNull();
  });

  it("leave open what the reader folded out", () => {
    const sent =
      '<section id="a" data-live="run.changed">1<details id="more"><summary>More</summary></details></section>';
    document.body.innerHTML = sent;
    document.getElementById("more")?.setAttribute("open", "");
    replaceParts(document, parse(sent.replace("1", "2")));
    expect(document.getElementById("a")?.textContent).toContain("2");
    expect(document.getElementById("more")?.hasAttribute("open")).toBe(true);
  });

  it("stay when the fresh page has none", () => {
    document.body.innerHTML = `<section id="a" data-live="run.changed">1</section>`;
    replaceParts(document, parse("<p>Log in</p>"));
    expect(document.getElementById("a")?.textContent).toBe("1");
  });
});

describe("refreshing", () => {
  afterEach(() => vi.useRealTimers());

  it("runs once for a burst, rests after a slow page, and forgets nothing", async () => {
    vi.useFakeTimers();
    let runs = 0;
    const soon = paced(async () => {
      runs += 1;
      await new Promise((done) => setTimeout(done, 100));
    }, 10);
    soon();
    soon();
    await vi.advanceTimersByTimeAsync(10);
    expect(runs).toBe(1);
    soon();
    await vi.advanceTimersByTimeAsync(300);
    expect(runs).toBe(1);
    await vi.advanceTimersByTimeAsync(400);
    expect(runs).toBe(2);
    await vi.advanceTimersByTimeAsync(5000);
    expect(runs).toBe(2);
  });
});

class Stream {
  static opened: Stream[] = [];
  onopen: (() => void) | null = null;
  isClosed = false;
  constructor() {
    Stream.opened.push(this);
  }
  close(): void {
    this.isClosed = true;
  }
}

describe("the stream of a page", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it("is open while the page is in view, and what was missed is fetched when it is again", async () => {
    vi.useFakeTimers();
    vi.stubGlobal("EventSource", Stream);
    const fetched = vi.fn(async () => ({ ok: false }));
    vi.stubGlobal("fetch", fetched);
    const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(false);
    const turn = (isHidden: boolean): void => {
      hidden.mockReturnValue(isHidden);
      document.dispatchEvent(new Event("visibilitychange"));
    };
    document.body.innerHTML = `<section id="a" data-live="run.changed">1</section>`;
    keepTrue();
    Stream.opened[0]?.onopen?.();
    await vi.runAllTimersAsync();
    expect(fetched).not.toHaveBeenCalled();
    turn(true);
    expect(Stream.opened.map((one) => one.isClosed)).toEqual([true]);
    turn(false);
    Stream.opened[1]?.onopen?.();
    await vi.runAllTimersAsync();
    expect(Stream.opened.map((one) => one.isClosed)).toEqual([true, false]);
    expect(fetched).toHaveBeenCalledTimes(1);
  });
});
