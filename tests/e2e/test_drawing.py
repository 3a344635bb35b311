"""Shapes drawn by hand are stored as they were drawn; viewports in a grid, linked, turned and flipped."""

from __future__ import annotations

import math
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.desk import Desk, becomes, box_of

pytestmark = pytest.mark.e2e

# Half of a thousandth of an image pixel: what is stored is rounded to a thousandth.
EXACT = 6e-4


def first_image(desk: Desk) -> dict[str, Any]:
    """Open the page; the still image."""
    desk.open()
    image: dict[str, Any] = desk.handed_out()["case"]["images"][0]
    assert image["frames"] == 1
    return image


def stored(desk: Desk) -> list[dict[str, Any]]:
    """The regions that the server holds, once it holds all."""
    desk.wait_until_saved()
    rois: list[dict[str, Any]] = desk.draft()["rois"]
    return rois


def flat(points: list[Any]) -> list[float]:
    return [float(value) for point in points for value in point]


def test_a_polygon_is_stored_as_clicked_and_as_changed(desk: Desk) -> None:
    image = first_image(desk)
    page = desk.page
    places = [desk.place(image, *at) for at in ((0.2, 0.2), (0.8, 0.25), (0.7, 0.8), (0.3, 0.7))]
    desk.tool("polygon")
    for screen, _ in places:
        page.mouse.click(*screen)
    page.mouse.click(*desk.place(image, 0.1, 0.5)[0])
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    (roi,) = stored(desk)
    assert roi["shape"] == "polygon"
    assert flat(roi["geometry"]["points"]) == pytest.approx(flat([point for _, point in places]), abs=EXACT)

    # A corner dragged, one added in the middle of an edge, one taken out, the whole moved by keys.
    corner, wanted = desk.place(image, 0.9, 0.15)
    desk.drag(places[1][0], corner)
    middle, added = desk.place(image, 0.5, 0.9)
    edge = page.locator("[data-handle='i2']").bounding_box()
    assert edge is not None
    desk.drag((edge["x"] + edge["width"] / 2, edge["y"] + edge["height"] / 2), middle)
    page.keyboard.down("Alt")
    page.mouse.click(*places[0][0])
    page.keyboard.up("Alt")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    (roi,) = stored(desk)
    left = [wanted, places[2][1], added, places[3][1]]
    assert flat(roi["geometry"]["points"]) == pytest.approx(flat([(x + 1, y - 10) for x, y in left]), abs=2 * EXACT)


def test_a_polygon_closes_on_its_first_corner_and_by_a_double_click_and_says_that_it_crosses_itself(desk: Desk) -> None:
    image = first_image(desk)
    page = desk.page
    desk.tool("polygon")
    for at in ((0.1, 0.1), (0.4, 0.1), (0.3, 0.4), (0.1, 0.1)):
        page.mouse.click(*desk.place(image, *at)[0])
    page.keyboard.press("Escape")
    for at in ((0.6, 0.6), (0.9, 0.9), (0.9, 0.6)):
        page.mouse.click(*desk.place(image, *at)[0])
    page.mouse.dblclick(*desk.place(image, 0.6, 0.9)[0])
    assert [len(roi["geometry"]["points"]) for roi in stored(desk)] == [3, 4]
    expect(page.get_by_role("button", name="ROI 2, polygon, image 1, crosses itself")).to_have_count(1)
    page.mouse.click(*desk.place(image, 0.5, 0.5)[0])
    page.keyboard.press("Escape")
    expect(page.locator(".drawing")).to_have_count(0)
    assert len(stored(desk)) == 2


def test_an_ellipse_is_stored_as_dragged_and_as_turned(desk: Desk) -> None:
    image = first_image(desk)
    page = desk.page
    x0, y0, x1, y1 = desk.draw(image, (0.2, 0.3, 0.6, 0.5), tool="ellipse")
    (roi,) = stored(desk)
    at = roi["geometry"]
    assert roi["shape"] == "ellipse"
    assert [at["cx"] - at["rx"], at["cy"] - at["ry"], at["cx"] + at["rx"], at["cy"] + at["ry"]] == pytest.approx(
        [x0, y0, x1, y1], abs=2 * EXACT
    )
    end, (x, y) = desk.place(image, 0.7, 0.4)
    handle = page.locator("[data-handle='turn']").bounding_box()
    assert handle is not None
    desk.drag((handle["x"] + 5, handle["y"] + 5), end)
    (roi,) = stored(desk)
    assert roi["geometry"]["angle"] == pytest.approx(math.atan2(x - at["cx"], at["cy"] - y), abs=1e-4)
    page.keyboard.press("Control+z")
    page.keyboard.press("Escape")
    page.keyboard.down("Shift")
    desk.draw(image, (0.7, 0.7, 0.9, 0.8), tool="ellipse")
    page.keyboard.up("Shift")
    unturned, circle = stored(desk)
    assert unturned["geometry"] == at
    assert circle["geometry"]["rx"] == circle["geometry"]["ry"]


def test_lines_points_and_outlines_are_stored(desk: Desk) -> None:
    image = first_image(desk)
    page = desk.page
    line = desk.draw(image, (0.1, 0.1, 0.4, 0.2), tool="line")
    page.keyboard.press("Escape")
    desk.tool("point")
    place, (x, y) = desk.place(image, 0.5, 0.5)
    page.mouse.click(*place)
    page.keyboard.press("Escape")
    desk.tool("freehand")
    page.mouse.move(*desk.place(image, 0.6, 0.6)[0])
    page.mouse.down()
    for at in ((0.9, 0.6), (0.9, 0.9), (0.6, 0.9), (0.6, 0.62)):
        page.mouse.move(*desk.place(image, *at)[0], steps=6)
    page.mouse.up()
    first, second, third = stored(desk)
    assert flat(first["geometry"]["points"]) == pytest.approx(line, abs=EXACT)
    assert [second["geometry"]["x"], second["geometry"]["y"]] == pytest.approx([x, y], abs=EXACT)
    assert third["shape"] == "freehand"
    assert 4 <= len(third["geometry"]["points"]) <= 8


def test_what_is_drawn_on_a_flipped_or_turned_image_lies_where_it_was_drawn(desk: Desk) -> None:
    image = first_image(desk)
    page = desk.page
    width, height = image["width"], image["height"]
    assert width == height
    page.keyboard.press("Shift+H")
    x0, y0, x1, y1 = desk.draw(image, (0.1, 0.2, 0.3, 0.5))
    page.keyboard.press("Escape")
    expect(desk.viewport(image["number"]).locator(".ov.bl")).to_contain_text("Flipped left to right")
    page.keyboard.press("Shift+H")
    page.keyboard.press("Shift+R")
    a0, b0, a1, b1 = desk.draw(image, (0.5, 0.1, 0.9, 0.2))
    flipped, turned = stored(desk)
    assert box_of(flipped) == pytest.approx((width - x1, y0, width - x0, y1), abs=EXACT)
    assert box_of(turned) == pytest.approx((b0, height - a1, b1, height - a0), abs=EXACT)


def test_nine_viewports_take_images_by_drag_and_follow_each_other_when_linked(desk: Desk) -> None:
    image = first_image(desk)
    page = desk.page
    desk.choose_layout("Nine images")
    expect(page.locator(".vp")).to_have_count(9)
    page.locator(".thumb[data-image='1']").drag_to(page.locator("[data-viewport='4']"))
    copy = page.locator("[data-viewport='4'][data-image='1']")
    expect(copy).to_have_class("vp active")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-viewport='3']")).to_have_class("vp active")
    fitted = desk.scale(image["number"])
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    expect(copy.locator(".ov.bl")).not_to_contain_text(f"Zoom {fitted:.2f}")
    assert desk.scale(image["number"]) == fitted, "images of several kinds begin free"
    page.keyboard.press("=")
    other = desk.scale(2)
    page.keyboard.press("l")
    for _ in range(4):
        page.keyboard.press("+")
    becomes(page, lambda: desk.scale(image["number"]), pytest.approx(fitted * 1.25**4, abs=0.02))
    becomes(page, lambda: desk.scale(2), pytest.approx(other * 1.25**4, abs=0.02))
    page.reload()
    desk.wait_for_images()
    expect(page.locator(".vp")).to_have_count(9)
