"""What the hands do on the reading page: keys on regions, cancelled drags, long texts."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.desk import Desk, becomes

pytestmark = pytest.mark.e2e

EDGES = """() => Array.from(document.querySelectorAll("[data-roi] rect.edge")).map((edge) => [
  Number(edge.getAttribute("x")), Number(edge.getAttribute("y"))])"""


def two_regions(desk: Desk) -> dict[str, Any]:
    """Draw two boxes on the first image and return it."""
    desk.open()
    image: dict[str, Any] = desk.handed_out()["case"]["images"][0]
    desk.draw(image, (0.1, 0.1, 0.3, 0.3))
    desk.page.keyboard.press("Escape")
    desk.draw(image, (0.5, 0.5, 0.7, 0.8))
    return image


def test_arrows_move_the_region_that_has_the_focus_and_it_keeps_it(desk: Desk) -> None:
    two_regions(desk)
    page = desk.page
    (x, y), second = page.evaluate(EDGES)
    page.locator("[data-roi][data-number='1']").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    becomes(page, lambda: page.evaluate(EDGES), [pytest.approx([x + 1, y + 10]), second])
    page.keyboard.press("n")
    expect(page.locator("[data-roi][data-number='2']")).to_be_focused()
    page.keyboard.press("Delete")
    becomes(page, lambda: page.evaluate(EDGES), [pytest.approx([x + 1, y + 10])])


def test_escape_takes_a_drag_back_wholly(desk: Desk) -> None:
    two_regions(desk)
    page = desk.page
    before = page.evaluate(EDGES)
    handle = page.locator("[data-handle='nw']").bounding_box()
    assert handle is not None
    page.mouse.move(handle["x"] + 4, handle["y"] + 4)
    page.mouse.down()
    page.mouse.move(handle["x"] + 60, handle["y"] + 50, steps=4)
    becomes(page, lambda: page.evaluate(EDGES) != before, True)
    page.keyboard.press("Escape")
    page.mouse.up()
    becomes(page, lambda: page.evaluate(EDGES), before)
    expect(page.locator(".roi.sel")).to_have_count(1)
    expect(page.get_by_label("Redo")).to_be_disabled()


def test_a_zoomed_image_keeps_its_middle_in_another_layout(desk: Desk) -> None:
    image = two_regions(desk)
    page = desk.page
    desk.choose_layout("One image")
    for _ in range(4):
        page.keyboard.press("+")
    one = desk.scale(image["number"])
    desk.choose_layout("Four images")
    expect(page.locator(".vp")).to_have_count(4)
    expect(desk.viewport(image["number"]).locator(".ov.bl")).not_to_contain_text(f"Zoom {one:.2f}")
    becomes(page, lambda: desk.scale(image["number"]) < one, True)
