"""One reader reads a case of each protocol, from the file that is imported to the reading that is submitted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import BrowserContext, Page, expect

from tests.curation.medthinkvqa_rows import row
from tests.e2e.desk import Desk, becomes, log_in
from tests.e2e.product import Product

pytestmark = pytest.mark.e2e

SIZE = (200, 160)
BOX = [60.0, 40.0, 120.0, 90.0]
KINDS = {"thinking": "medthinkvqa", "looking": "vgmed", "fetal": "fetal_gauge"}
HIDDEN = ("drawn blob, view", "Both views show dots", "Stripes would run", "Dotted blob is")


def picture(path: Path) -> str:
    """A bright disc on grey; returns its name."""
    image = Image.new("L", SIZE, 60)
    ImageDraw.Draw(image).ellipse(BOX, fill=200)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, "PNG")
    return path.name


def rows_of(kind: str, folder: Path) -> Path:
    """One row of a protocol with its images, in a file."""
    record: dict[str, Any]
    if kind == "medthinkvqa":
        record = row(case=77, images=2)
        for number in (1, 2):
            picture(folder / record[f"image_{number:02d}_path"])
        name = "rows.jsonl"
    elif kind == "vgmed":
        record = {"image": picture(folder / "CT.png"), "question": "Is there a disc in the image?", "bbox": BOX}
        name = "VGMED_localization.jsonl"
    else:
        record = {
            "id": "head-1",
            "image_clean": picture(folder / "head.png"),
            "task": "VG",
            "question": "Which structure is in the rectangle?",
            "options": {"A": "Disc", "B": "Ring"},
            "answer": "A",
            "box_xyxy": BOX,
        }
        name = "rows.jsonl"
    (folder / name).write_text(json.dumps(record) + "\n", encoding="utf-8")
    return folder / name


@pytest.fixture(scope="session")
def reader(product: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A reader of three benchmarks, each with one case of its protocol."""
    name = "r-protocols"
    for slug, kind in KINDS.items():
        product.manage("create_benchmark", slug, "--protocol", kind)
        report = product.manage_json(
            "import_cases", slug, rows_of(kind, tmp_path_factory.mktemp(slug)), "--format", kind
        )
        assert (report["created"], report["rejected"]) == (1, [])
        product.add_reader(name, slug)
    return name


@pytest.fixture
def open_desk(profile: Callable[..., BrowserContext], product: Product, reader: str) -> Callable[[str], Desk]:
    """Opens a benchmark's reading page as the reader."""

    def opened(slug: str) -> Desk:
        page = profile().new_page()
        log_in(page, product, reader)
        desk = Desk(page=page, product=product, user=reader, benchmark=slug)
        desk.open()
        return desk

    return opened


def undo_all_and_redo_all(page: Page) -> None:
    """By the keyboard, until there is nothing left either way."""
    for key, button in (("Control+z", "Undo"), ("Control+Shift+z", "Redo")):
        for _ in range(60):
            if page.get_by_role("button", name=button, exact=True).is_disabled():
                break
            page.keyboard.press(key)
        expect(page.get_by_role("button", name=button, exact=True)).to_be_disabled()


def test_a_case_of_several_images_is_read_field_by_field(open_desk: Callable[[str], Desk]) -> None:
    desk = open_desk("thinking")
    page, images = desk.page, desk.handed_out()["case"]["images"]
    assert not [words for words in HIDDEN if words in page.content()]
    desk.comes_to_lack({"image_findings": 2, "summary": 1, "differential": 1, "answer": 1})

    page.keyboard.press("Control+Enter")
    page.get_by_test_id("notice").get_by_role("button", name="Image 1 has no finding").click()
    expect(page.get_by_label("Finding of image 1")).to_be_focused()
    page.keyboard.type("A bright disc.")
    expect(page.get_by_test_id("findings-done")).to_have_text("1 of 2 images")

    page.locator(".thumb[data-image='2']").click()
    expect(page.locator(".step.active")).to_have_attribute("data-row", "image_finding-2")
    desk.draw(images[1], (0.3, 0.25, 0.6, 0.6))
    desk.write("Finding of image 2", "The same disc.")
    desk.write("Integrated summary", "One disc in two views.")
    page.get_by_role("button", name="Weigh B").click()
    page.keyboard.type("it is full. [[1")
    expect(page.get_by_role("option", name="1 box image 2")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.locator("[data-row='differential'] .cite")).to_have_count(1)

    desk.choose("B")
    desk.wait_until_saved()
    written = desk.draft()
    undo_all_and_redo_all(page)
    desk.wait_until_saved()
    assert desk.draft() == written
    becomes(page, lambda: set(desk.lacks().values()), {0})

    steps = desk.submit()["content"]["steps"]
    region = written["rois"][0]["id"]
    assert [(step["kind"], step["image"], step["text"], step["evidence"]) for step in steps] == [
        ("image_finding", 1, "A bright disc.", []),
        ("image_finding", 2, "The same disc.", [region]),
        ("summary", None, "One disc in two views.", []),
        ("differential", None, "B, Dotted blob: it is full. ", [region]),
    ]
    expect(page.locator("[data-reason='done']")).to_be_visible()


def test_a_question_of_where_is_answered_by_drawing(open_desk: Callable[[str], Desk]) -> None:
    desk = open_desk("looking")
    page = desk.page
    expect(page.get_by_test_id("task-help")).to_contain_text("No answer is asked for")
    expect(page.locator(".opt, .answer textarea")).to_have_count(0)
    desk.comes_to_lack({"rois": 1})
    page.get_by_role("button", name="Submit and next").click()
    expect(page.get_by_test_id("notice")).to_contain_text("At least one ROI is required")
    desk.draw(desk.handed_out()["case"]["images"][0], (0.3, 0.25, 0.6, 0.6))
    content = desk.submit()["content"]
    assert content["answer"] is None
    assert [roi["label"] for roi in content["rois"]] == ["target"]


def test_a_grounding_question_shows_its_rectangle_and_wants_a_region(open_desk: Callable[[str], Desk]) -> None:
    desk = open_desk("fetal")
    page = desk.page
    expect(page.get_by_test_id("task")).to_have_text("Visual grounding")
    expect(page.get_by_test_id("question-box")).to_have_count(1)
    expect(page.get_by_test_id("roi-size")).to_contain_text("no spacing")
    desk.choose("A")
    desk.comes_to_lack({"task_rois": 1, "answer": 0})
    desk.draw(desk.handed_out()["case"]["images"][0], (0.3, 0.25, 0.6, 0.6), tool="ellipse")
    expect(page.get_by_test_id("roi-size")).to_contain_text("around")
    page.keyboard.press("Control+z")
    desk.comes_to_lack({"task_rois": 1, "answer": 0})
    page.keyboard.press("Control+y")
    content = desk.submit()["content"]
    assert content["answer"] == {"choice": "A"}
    assert [roi["shape"] for roi in content["rois"]] == ["ellipse"]


def test_help_finds_keys_and_a_reader_moves_one(desk: Desk) -> None:
    desk.open()
    page = desk.page
    page.keyboard.press("?")
    page.get_by_label("Find a key").fill("ellipse")
    expect(page.locator("[data-key]")).to_have_count(1)
    page.locator("[data-key='tool-ellipse'] button").click()
    page.keyboard.press("r")
    expect(page.get_by_role("alert")).to_contain_text("r is already: box")
    page.keyboard.press("x")
    expect(page.locator("[data-key='tool-ellipse'] button")).to_have_text("x")
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.reload()
    page.locator("[data-tool='box']").wait_for()
    page.keyboard.press("x")
    expect(page.locator("[data-tool='ellipse']")).to_have_attribute("aria-pressed", "true")
