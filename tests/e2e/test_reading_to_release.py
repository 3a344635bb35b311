"""From a reader's mouse to a released benchmark, through the running product and a real browser."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.desk import Box, Desk, box_of, log_in
from tests.e2e.product import Product

pytestmark = pytest.mark.e2e

# The planted control as the demo registers it, with every setting's default (inference/adapters/planted.py).
GRID = 16
LAYERS = 4
GAIN = 3.0
FOCUS = range(4, 12)  # centres of these rows and columns lie in the middle half
TEXT = "Bright rim above the middle, on the left."
# Left of the focus, reaching into it.
FRACTIONS = (0.14, 0.31, 0.46, 0.62)
FORBIDDEN = re.compile(r"/(scores|predictions|heatmap|agreement|leaderboard|models|runs)(/|\?|$)")
# What a reader's page may hear before the submit: of their own assignments, and that cases or the queue changed.
MAY_BE_HEARD = {"assignment.assigned", "assignment.taken_back", "queue.changed", "case.changed"}
WATCH_EVENTS = """
window.heard = [];
window.EventSource = class extends EventSource {
  constructor(address) {
    super(address);
    this.addEventListener("message", (message) => window.heard.push(JSON.parse(message.data)));
  }
};
"""
WATCH_SUBMIT = """
addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.ctrlKey) window.submittedAt = performance.timeOrigin + performance.now();
}, true);
"""
VALUE = "tr[data-metric='attention_ratio'] td[data-value]"
WATCH_SCORE = """(selector) => {
  const look = () => {
    if (window.seenAt === undefined && document.querySelector(selector)?.dataset.value)
      window.seenAt = performance.timeOrigin + performance.now();
  };
  look();
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  return window.seenAt === undefined;
}"""


def attention_ratio(box: Box, width: int, height: int, layer: int) -> tuple[float, int]:
    """The closed form of the planted control for one box, by hand; with the count of the region's cells."""
    columns = range(math.floor(box[0] * GRID / width), math.ceil(box[2] * GRID / width))
    rows = range(math.floor(box[1] * GRID / height), math.ceil(box[3] * GRID / height))
    region = [(row, column) for row in rows for column in columns]
    inside = sum(row in FOCUS and column in FOCUS for row, column in region)
    extra = (GAIN - 1) * (layer + 1) / LAYERS
    of_region = 1 + extra * inside / len(region)
    of_all = 1 + extra * len(FOCUS) ** 2 / GRID**2
    return of_region / of_all, len(region)


def read_the_case(desk: Desk) -> tuple[dict[str, Any], Box, dict[str, Any]]:
    """Look at every image, step a cine, draw, write, answer; returns case, pointed box and the image drawn on."""
    page, case = desk.page, desk.handed_out()["case"]
    images = case["images"]
    assert len(images) > 1
    desk.choose_layout("one image")
    for image in images:
        page.locator(f".thumb[data-image='{image['number']}']").click()
        expect(desk.viewport(image["number"]).locator(".surface")).to_have_attribute("data-ready", "true")
        if image["frames"] > 1:
            page.keyboard.press(".")
            # A cine opens at its middle frame; frames count from 0 in data and from 1 in words.
            after = image["frames"] // 2 + 1
            expect(desk.viewport(image["number"])).to_have_attribute("data-frame", f"{after}")
            expect(desk.viewport(image["number"]).locator(".frame-no")).to_contain_text(f"frame {after + 1} /")
    desk.choose_layout("four images")
    desk.wait_for_images()
    desk.add_step(TEXT)
    still = next(image for image in images if image["frames"] == 1)
    pointed = desk.draw(still, FRACTIONS)
    page.keyboard.press("1")
    desk.choose("B")
    desk.set_confidence(80)
    desk.wait_until_saved()
    return case, pointed, still


def check_draft(desk: Desk, pointed: Box, image: dict[str, Any]) -> Box:
    """What the server holds is what the hand did; returns the box as stored."""
    draft = desk.draft()
    (roi,), (step,) = draft["rois"], draft["steps"]
    assert (roi["image"], roi["frame"], roi["shape"], roi["label"]) == (image["number"], 0, "box", "evidence")
    assert (step["text"], step["evidence"]) == (TEXT, [roi["id"]])
    assert (draft["answer"], draft["confidence"]) == ({"choice": "B"}, 0.8)
    stored = box_of(roi)
    error = max(abs(one - other) for one, other in zip(stored, pointed, strict=True))
    print(f"\nbox by mouse: off by {error:.3f} image px at zoom {desk.scale(image['number'])}")
    assert error <= 0.5
    return stored


def check_blind(desk: Desk, case: dict[str, Any]) -> None:
    """Nothing of a model came to the reader, asked for or not."""
    asked = [url for url in desk.requests if FORBIDDEN.search(url)]
    assert asked == []
    # Of cases that this reader has submitted before, and so reads no longer blind, models may be heard.
    told = [event for event in desk.page.evaluate("window.heard") if event.get("case") in (None, case["id"])]
    assert {event["type"] for event in told} <= MAY_BE_HEARD
    scores = desk.product.call(desk.user, "GET", f"cases/{case['id']}/scores/")
    assert scores.pop("is_blind") is True
    assert scores.pop("case") == case["id"]
    assert scores
    assert all(value in ([], None) for value in scores.values())


def check_live(watching: Page, reader: Page) -> float:
    """The score comes to a page that is not loaded again; returns the milliseconds since the submit."""
    value = watching.locator(VALUE)
    expect(value).to_have_attribute("data-value", re.compile(r"\d"))
    took: float = watching.evaluate("window.seenAt") - reader.evaluate("window.submittedAt")
    print(f"submit to score on another page: {took:.0f} ms")
    return took


def check_scores(product: Product, case: dict[str, Any], box: Box, image: dict[str, Any]) -> float:
    """Every layer's number is the closed form's; returns the headline's."""
    scores = product.call("demo_engineer", "GET", f"cases/{case['id']}/scores/")
    of_planted = {row["id"] for row in scores["predictions"] if row["model"]["name"] == "planted"}
    by_layer: dict[str, dict[int, dict[str, Any]]] = {"attention_ratio": {}, "ebpg": {}}
    for row in scores["results"]:
        is_asked = row["prediction"] in of_planted and row["map"] == "relative" and row["roi_rule"] == "box"
        if is_asked and row["metric"] in by_layer:
            assert row["image"] == image["number"]
            by_layer[row["metric"]][row["layer"]] = row
    headline = math.nan
    for layer in range(LAYERS):
        headline, cells = attention_ratio(box, image["width"], image["height"], layer)
        found = by_layer["attention_ratio"][layer]
        assert (found["n_cells"], found["roi_cells"]) == (GRID**2, cells)
        assert found["value"] == pytest.approx(headline, abs=1e-6)
        assert by_layer["ebpg"][layer]["value"] == pytest.approx(headline * cells / GRID**2, abs=1e-6)
    return headline


def check_release(product: Product, folder: Path, desk: Desk, reading: str, box: Box, score: float) -> None:
    """Frozen, exported, verified and loaded: what was read and scored is in there, and nothing was lost."""
    frozen = product.manage_json("freeze", desk.benchmark, "--name", "first")
    release = folder / "release"
    exported = product.manage_json("export", "first", "--format", "hf", "--to", release)
    product.manage("verify", release)
    rows = {name: _rows(release, name, folder) for name in ("cases", "readings", "scores")}
    print(f"export: rows in {exported['rows_in']}, out {exported['rows_out']}")
    assert exported["rows_in"] == exported["rows_out"] == frozen["cases"]
    for config, counted in exported["configs"].items():
        assert counted["rows_in"] == counted["rows_out"] == len(rows[config])
    assert (len(rows["cases"]), len(rows["readings"])) == (frozen["cases"], frozen["readings"])

    (read,) = [row for row in rows["readings"] if row["reading"] == reading]
    (roi,), (step,) = read["rois"], read["steps"]
    assert tuple(roi[name] for name in ("x0", "y0", "x1", "y1")) == pytest.approx(box, abs=1e-9)
    assert (step["text"], step["evidence"]) == (TEXT, [roi["id"]])
    assert (read["choice"], read["confidence"]) == ("B", 0.8)
    wanted = {"model": "planted", "target": reading, "metric": "attention_ratio", "map": "relative", "roi_rule": "box"}
    (scored,) = [row for row in rows["scores"] if wanted.items() <= row.items()]
    assert (scored["case"], scored["headline_layer"]) == (read["case"], LAYERS - 1)
    assert scored["value"] == pytest.approx(score, abs=1e-6)
    (case,) = [row for row in rows["cases"] if row["id"] == read["case"]]
    assert len(case["images"]) > 1


def _rows(release: Path, config: str, folder: Path) -> list[dict[str, Any]]:
    loaded = load_dataset(str(release), config, cache_dir=str(folder / "cache"))
    return [row for split in loaded.values() for row in split]


def test_a_reading_is_scored_live_and_released(
    product: Product, profile: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    page = profile().new_page()
    page.add_init_script(WATCH_SUBMIT)
    page.add_init_script(WATCH_EVENTS)
    desk = Desk(page=page, product=product, user="demo_reader")
    page.on("request", lambda request: desk.requests.append(request.url))
    log_in(page, product, "demo_reader")
    desk.open()
    reading = desk.handed_out()["reading"]["id"]
    case, pointed, image = read_the_case(desk)
    box = check_draft(desk, pointed, image)
    check_blind(desk, case)

    watching = profile().new_page()
    log_in(watching, product, "demo_curator")
    watching.goto(f"/cases/{case['id']}/")
    expect(watching.get_by_role("table", name="Grounding scores")).to_be_visible()
    assert watching.evaluate(WATCH_SCORE, VALUE), "a score is there before the submit"

    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast")).to_contain_text(f"Reading of case {case['key']} submitted")
    # It stays while the pointer is on it, however slow the machine.
    page.locator(".toast").hover()
    check_live(watching, page)
    score = check_scores(product, case, box, image)
    for shown_to in (watching, page):
        if shown_to is page:
            page.get_by_role("link", name="See how models read it").click()
            expect(page).to_have_url(re.compile(f"/cases/{case['id']}/"))
        value = shown_to.locator(VALUE)
        expect(value).to_have_text(f"{score:.2f}")
        assert float(value.get_attribute("data-value") or "nan") == pytest.approx(score, abs=1e-6)
    check_release(product, tmp_path, desk, reading, box, score)
