"""Two readings become gold on the review page, and cease to be it, through the running product and a real browser."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from curation.rle import decode_rle
from tests.e2e.desk import Desk, log_in
from tests.e2e.product import Product, Refused

pytestmark = pytest.mark.e2e

SLUG = "settled"
WORDS = ("A round opacity on the left.", "Fluid at the base.")
REASON = "The opacity is plain on both images; the fluid is seen by the second reader only."


@pytest.fixture
def cased(product: Product, drafts: str) -> str:
    """A benchmark with the case of the drafts, for two readers and a reviewer; the case's id."""
    product.manage("create_benchmark", SLUG, "--protocol", "free", "--overlap", "2")
    known = product.call("demo_admin", "GET", f"benchmarks/{drafts}/cases/")["results"][0]
    images = [{"sha256": image["sha256"]} for image in known["images"]]
    record = {"id": "one", "question": "What is seen?", "images": images}
    product.call("demo_admin", "POST", f"benchmarks/{SLUG}/cases/bulk/", [record])
    product.manage(
        "create_user", "vera", "--role", "reviewer", "--benchmark", SLUG, "--password-stdin",
        stdin="vera-settles-cases\n",
    )  # fmt: skip
    product.logins["vera"] = "vera-settles-cases"
    return str(product.call("demo_admin", "GET", f"benchmarks/{SLUG}/cases/")["results"][0]["id"])


def read(product: Product, number: int) -> dict[str, Any]:
    """One reader's whole reading over HTTP: a box and a step that rests on it."""
    user = product.add_reader(f"settler-{number}", SLUG)
    handed = product.call(user, "POST", f"benchmarks/{SLUG}/next/")
    box, step = str(uuid.uuid4()), str(uuid.uuid4())
    at = 10 + 5 * number
    content = {
        "version": handed["reading"]["version"],
        "answer": {"text": WORDS[number]},
        "confidence": 0.8,
        "rois": [
            {"id": box, "image": 1, "shape": "box", "geometry": {"x0": at, "y0": at, "x1": at + 40, "y1": at + 40}}
        ],
        "steps": [{"id": step, "kind": "free", "text": WORDS[number], "evidence": [box]}],
        "entities": [],
    }
    saved = product.call(user, "PUT", f"readings/{handed['reading']['id']}/draft/", content)
    key = {"Idempotency-Key": str(uuid.uuid4())}
    return product.call(user, "POST", f"readings/{handed['reading']['id']}/submit/", {"version": saved["version"]}, key)


def gold(product: Product, case: str) -> Any:
    return product.call("vera", "GET", f"cases/{case}/consensus/")["gold"]


def paint_and_erase(page: Page) -> None:
    """A mask by the brush, a piece of it gone by the eraser, which one undo brings back."""
    box = page.locator(".vp .surface").bounding_box()
    assert box is not None
    start, end = ((box["x"] + box["width"] * part, box["y"] + box["height"] * 0.85) for part in (0.3, 0.5))
    undo = page.get_by_role("button", name="Undo")
    for tool, to in (("brush", end), ("eraser", ((start[0] + end[0]) / 2, start[1]))):
        page.locator(f"[data-tool={tool}]").click()
        page.mouse.move(*start)
        page.mouse.down()
        page.mouse.move(*to, steps=3)
        page.mouse.up()
        expect(page.get_by_role("heading", name="Regions 4")).to_be_visible()
        expect(undo).to_have_attribute("title", f"Undo: ROI 4 {'drawn' if tool == 'brush' else 'painted'}")


def look_up_keys(page: Page) -> None:
    """The keys, found by what they do."""
    page.get_by_role("heading", name="Answers").click()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    keys.get_by_label("Find a key").fill("staple")
    expect(keys.locator("[data-key]")).to_have_text(["tshow the STAPLE map"])
    keys.get_by_role("button", name="Close").click()
    expect(keys).to_have_count(0)


def wait_saved(page: Page) -> None:
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()


def test_two_readings_are_merged_closed_and_reverted(
    product: Product, profile: Callable[..., BrowserContext], cased: str
) -> None:
    first, second = read(product, 0), read(product, 1)
    page = profile().new_page()
    log_in(page, product, "vera")
    page.goto(f"/benchmarks/{SLUG}/review/")
    page.get_by_role("link", name="Review case one").click()
    expect(page.get_by_role("heading", name="No gold yet")).to_be_visible()

    page.get_by_role("button", name="Start the review").click()
    page.get_by_role("button", name="Take answer of R1").click()
    page.get_by_role("button", name="Take step 1 of R1").click()
    page.get_by_role("button", name="Take step 1 of R2").click()
    expect(page.get_by_role("button", name="Take region 1 of R2")).to_have_count(0)
    page.get_by_label("Step 2 of the gold").fill("Fluid at the left base.")
    page.get_by_role("button", name="Where readers differ").click()

    # A region taken from a reader is moved on the image, undone and moved again.
    page.get_by_role("button", name="Gold region 1, no label, box").focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Shift+z")
    page.locator("[data-tool=ellipse]").click()
    box = page.locator(".vp .surface").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.6, steps=3)
    page.mouse.up()
    expect(page.get_by_role("heading", name="Regions 3")).to_be_visible()
    paint_and_erase(page)
    look_up_keys(page)

    close = page.get_by_role("button", name="Close and write the gold")
    expect(close).to_be_disabled()
    page.get_by_label("Why this is right").fill(REASON)
    wait_saved(page)

    # Whatever happens to the page, what was put together is there again.
    page.reload()
    expect(page.get_by_label("Step 2 of the gold")).to_have_value("Fluid at the left base.")
    expect(page.get_by_label("Why this is right")).to_have_value(REASON)
    with pytest.raises(Refused) as taken:
        product.call("demo_admin", "POST", f"cases/{cased}/review/", {})
    assert (taken.value.status, taken.value.body["holder"]) == (409, "vera")

    close.click()
    expect(page.get_by_role("heading", name="Gold, revision 1")).to_be_visible()
    made = gold(product, cased)
    assert made["answer"] == {"text": WORDS[0]}
    assert [step["text"] for step in made["steps"]] == [WORDS[0], "Fluid at the left base."]
    assert 0 < decode_rle(made["rois"][3]["geometry"]).sum() < 600
    regions = {roi["id"] for roi in made["rois"]}
    assert [roi["shape"] for roi in made["rois"]] == ["box", "box", "ellipse", "mask"]
    assert made["rois"][0]["geometry"] == {"x0": 20, "y0": 11, "x1": 60, "y1": 51}
    assert all(set(step["evidence"]) <= regions for step in made["steps"])
    (review,) = product.call("vera", "GET", f"cases/{cased}/review/")["results"]
    assert (review["action"], review["reason"]) == ("merge", REASON)
    assert {source["reading"] for source in review["sources"]} == {first["reading"], second["reading"]}

    page.get_by_role("button", name="Revert review 1").click()
    page.get_by_label("Reason").fill("Asked the second reader again.")
    page.get_by_role("dialog").get_by_role("button", name="Revert").click()
    expect(page.get_by_role("heading", name="No gold yet")).to_be_visible()
    assert gold(product, cased) is None
    expect(page.get_by_text("Asked the second reader again.")).to_be_visible()


def test_training_shows_the_gold_beside_the_reading_just_submitted(
    product: Product, profile: Callable[..., BrowserContext], drafts: str
) -> None:
    slug = "training"
    product.manage("create_benchmark", slug, "--protocol", "free")
    known = product.call("demo_admin", "GET", f"benchmarks/{drafts}/cases/")["results"][0]
    box = {"x0": 20, "y0": 20, "x1": 60, "y1": 60}
    roi = {"id": str(uuid.uuid4()), "image": 1, "frame": 0, "label": None, "shape": "box", "geometry": box}
    golden = {"answer": "Fluid", "rois": [roi], "steps": [{"text": "Fluid lies at the base."}]}
    images = [{"sha256": image["sha256"]} for image in known["images"]]
    record = {"id": "one", "question": "What is seen?", "images": images, "gold": golden}
    product.call("demo_admin", "POST", f"benchmarks/{slug}/cases/bulk/", [record])
    product.call("demo_admin", "PATCH", f"benchmarks/{slug}/probing/", {"is_training": True})
    desk = Desk(profile().new_page(), product, product.add_reader("trainee", slug), slug)
    log_in(desk.page, product, desk.user)
    desk.open()
    (image, *_) = desk.handed_out()["case"]["images"]
    desk.draw(image, (0.2, 0.2, 0.5, 0.5))
    desk.page.get_by_label("Answer in words").fill("Fluid")
    desk.page.get_by_role("button", name="Submit and compare").click()

    told = desk.page.get_by_test_id("feedback")
    expect(told).to_contain_text("Fluid lies at the base.")
    expect(told).to_contain_text("Gold 1: no label, image 1")
    expect(desk.page.get_by_test_id("told-roi")).to_have_count(1)
    expect(desk.page.locator("[data-roi]")).to_have_count(1)
    assert "/feedback/" in desk.page.url
    # Nothing of what was submitted can be changed; a reload is the same as a page.
    desk.page.keyboard.press("Delete")
    expect(desk.page.locator("[data-roi]")).to_have_count(1)
    told.get_by_role("button", name="Next case").click()
    expect(told).to_have_count(0)
    assert desk.page.url.endswith(f"/read/{slug}/")
