"""Nobody loses work: a killed tab, a server out of reach, two tabs at once."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from playwright.sync_api import Error as BrowserError

from tests.e2e.desk import Desk, becomes, box_of, log_in
from tests.e2e.product import Product

pytestmark = pytest.mark.e2e

TEXT = "Round body left of the middle."
DRAFT = re.compile(r"/readings/[^/]+/draft/$")
# Within the first quiet moment of the autosave (frontend/src/state/autosave.ts): nothing has been sent yet.
SAVED_HERE = """async ([text]) => {
  const open = () => new Promise((take, fail) => {
    const request = indexedDB.open("sightline");
    request.onsuccess = () => take(request.result);
    request.onerror = () => fail(request.error);
  });
  const store = (await open()).transaction("reading").objectStore("reading");
  const all = await new Promise((take) => {
    const request = store.getAll();
    request.onsuccess = () => take(request.result);
  });
  return all.some((kept) => kept.content?.steps.some((step) => step.text === text));
}"""


def wait_until_kept(page: Page, text: str) -> None:
    """Until this computer's own storage has the text."""
    becomes(page, lambda: page.evaluate(SAVED_HERE, [text]), True)


def first_image(desk: Desk) -> dict[str, Any]:
    image: dict[str, Any] = desk.handed_out()["case"]["images"][0]
    return image


def abort(route: Route) -> None:
    """As if the server could not be reached."""
    route.abort("connectionrefused")


def test_a_killed_tab_loses_nothing(desk: Desk) -> None:
    page = desk.page
    sent: list[str] = []
    desk.open()
    image = first_image(desk)
    page.on("request", lambda request: sent.append(request.url) if DRAFT.search(request.url) else None)
    # Nothing reaches the server: whatever comes back was on this computer.
    page.route(DRAFT, abort)
    desk.add_step(TEXT)
    pointed = desk.draw(image, (0.2, 0.25, 0.55, 0.6))
    wait_until_kept(page, TEXT)
    with page.expect_event("crash"), contextlib.suppress(BrowserError):
        page.goto("chrome://crash")
    assert desk.draft()["steps"] == []

    again = Desk(page=page.context.new_page(), product=desk.product, user=desk.user, benchmark=desk.benchmark)
    again.open()
    expect(again.page.get_by_label("Text of step 1")).to_have_value(TEXT)
    expect(again.viewport(1).locator("[data-roi]")).to_have_count(1)
    again.wait_until_saved()
    draft = again.draft()
    assert [step["text"] for step in draft["steps"]] == [TEXT]
    assert box_of(draft["rois"][0]) == pytest.approx(pointed, abs=0.5)
    assert draft["steps"][0]["evidence"] == [draft["rois"][0]["id"]]


def test_changes_made_offline_are_kept_and_sent_later(desk: Desk) -> None:
    page = desk.page
    desk.open()
    image = first_image(desk)
    page.route(DRAFT, abort)
    desk.add_step(TEXT)
    desk.draw(image, (0.3, 0.3, 0.7, 0.5))
    chip = page.locator("[data-save]")
    expect(chip).to_have_attribute("data-save", "offline")
    expect(chip).to_contain_text(re.compile(r"Offline, \d+ changes? kept here"))
    assert desk.draft()["rois"] == []

    page.reload()
    desk.wait_for_images()
    expect(page.get_by_label("Text of step 1")).to_have_value(TEXT)
    expect(desk.viewport(1).locator("[data-roi]")).to_have_count(1)
    expect(chip).to_have_attribute("data-save", "offline")

    page.unroute(DRAFT)
    page.evaluate("dispatchEvent(new Event('online'))")
    desk.wait_until_saved()
    draft = desk.draft()
    assert ([step["text"] for step in draft["steps"]], len(draft["rois"])) == ([TEXT], 1)


@pytest.mark.parametrize(("button", "kept"), [("Keep this page's", "second tab"), ("Take the server's", "first tab")])
def test_two_tabs_show_both_versions_and_lose_neither(desk: Desk, button: str, kept: str) -> None:
    first, second = desk, Desk(desk.page.context.new_page(), desk.product, desk.user, desk.benchmark)
    first.open()
    second.open()
    first.add_step("first tab")
    first.wait_until_saved()

    page = second.page
    page.bring_to_front()
    second.add_step("second tab")
    expect(page.locator("[data-save]")).to_have_attribute("data-save", "conflict")
    page.get_by_role("button", name="Two versions").click()
    dialog = page.get_by_role("dialog", name="Two versions of this draft")
    expect(dialog.get_by_role("region", name="This page")).to_contain_text("second tab")
    expect(dialog.get_by_role("region", name="On the server")).to_contain_text("first tab")
    assert [step["text"] for step in second.draft()["steps"]] == ["first tab"]

    dialog.get_by_role("button", name=button).click()
    second.wait_until_saved()
    expect(page.get_by_label("Text of step 1")).to_have_value(kept)
    assert [step["text"] for step in second.draft()["steps"]] == [kept]
    other = {"first tab": "second tab", "second tab": "first tab"}[kept]
    wait_until_kept(page, other)


def test_another_user_of_the_computer_gets_nothing_of_it(
    profile: Callable[..., BrowserContext], desk: Desk, product: Product
) -> None:
    """A shared computer: what one reader left unsent is not shown to, nor sent by, the next one."""
    page = desk.page
    desk.open()
    page.route(DRAFT, abort)
    desk.add_step(TEXT)
    wait_until_kept(page, TEXT)
    page.context.clear_cookies()
    other = Desk(
        page.context.new_page(), product, product.add_reader(f"{desk.user}-after", desk.benchmark), desk.benchmark
    )
    log_in(other.page, product, other.user)
    other.open()
    expect(other.page.locator(".steps-none")).to_be_visible()
    assert other.draft()["steps"] == []
