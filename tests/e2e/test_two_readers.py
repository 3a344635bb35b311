"""Several readers at one case: who gets a place, and what a reader sees who loses theirs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from pydicom.data import get_testdata_file

from tests.e2e.desk import Desk, log_in, name_after
from tests.e2e.product import Product

pytestmark = pytest.mark.e2e

OVERLAP = 2
FIRST, SECOND = "Written before.", "Written after."
CLOCK_OFF = """(() => {
  const Real = Date, off = 3 * 3600 * 1000;
  window.Date = class extends Real {
    constructor(...given) { given.length ? super(...given) : super(Real.now() + off); }
    static now() { return Real.now() + off; }
  };
})();"""


@dataclass
class Room:
    """A benchmark of one case for two readers, three who want it, and its curator."""

    product: Product
    slug: str
    curator: str
    desks: list[Desk]

    def take_back(self, desk: Desk) -> None:
        """The curator ends somebody's lease."""
        row = desk.handed_out()
        self.product.call(self.curator, "POST", f"assignments/{row['assignment']}/take-back/", {"reason": "on leave"})

    def reading(self, desk: Desk, reading: str) -> dict[str, Any]:
        return self.product.call(desk.user, "GET", f"readings/{reading}/")


@pytest.fixture
def room(
    product: Product,
    profile: Callable[..., BrowserContext],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Room:
    name = name_after(request.node.nodeid)
    folder = tmp_path / "one-case"
    folder.mkdir()
    shutil.copy(str(get_testdata_file("CT_small.dcm", download=False)), folder)
    product.manage("create_benchmark", name, "--protocol", "free", "--overlap", str(OVERLAP))
    report = product.manage_json("import_cases", name, tmp_path, "--format", "dicom")
    assert (report["created"], report["rejected"]) == (1, [])
    desks = []
    for letter in "abc":
        page = profile().new_page()
        if letter == "a":
            page.add_init_script(CLOCK_OFF)
        user = product.add_reader(f"{name}-{letter}", name)
        log_in(page, product, user)
        desks.append(Desk(page=page, product=product, user=user, benchmark=name))
    curator = f"{name}-curator"
    product.manage(
        "create_user", curator, "--role", "curator", "--benchmark", name, "--password-stdin",
        stdin="curates-with-much-care\n",
    )  # fmt: skip
    return Room(product=product, slug=name, curator=curator, desks=desks)


def told(page: Page, reason: str) -> None:
    """Why there is no case."""
    expect(page.locator(".ws-nothing")).to_have_attribute("data-reason", reason)


def standing(page: Page) -> Any:
    return expect(page.locator(".lease-bar"))


def test_two_read_one_case_and_a_third_is_told_so(room: Room) -> None:
    """A place that a curator took is the reader's again with the next change, where nobody else came."""
    first, second, third = room.desks
    first.open()
    second.open()
    assert first.handed_out()["case"]["id"] == second.handed_out()["case"]["id"]
    third.page.goto(f"/read/{room.slug}/")
    told(third.page, "leased")
    expect(third.page.locator(".ws-nothing")).to_contain_text("No case is free until")

    first.add_step(FIRST)
    first.wait_until_saved()
    # The clock of this reader's computer is three hours fast, and the lease still is theirs.
    expect(first.page.locator(".status.lease")).to_contain_text("Yours until")
    reading = first.handed_out()["reading"]["id"]
    room.take_back(first)
    standing(first.page).to_contain_text("A curator took this case back. Your draft is kept.")
    expect(first.page.get_by_label("Text of step 1")).to_have_value(FIRST)

    first.add_step(SECOND)
    standing(first.page).to_have_count(0)
    expect(first.page.locator(".toast")).to_contain_text("is yours again, with your draft")
    kept = room.reading(first, reading)
    assert (kept["state"], [step["text"] for step in kept["content"]["steps"]]) == ("draft", [FIRST, SECOND])

    second.add_step(FIRST)
    for desk in (first, second):
        assert desk.submit()["state"] == "submitted"
        told(desk.page, "done")
    third.page.get_by_role("button", name="Look again").click()
    told(third.page, "done")


def test_a_draft_survives_a_place_that_somebody_else_took(room: Room) -> None:
    first, second, third = room.desks
    first.open()
    second.open()
    first.add_step(FIRST)
    first.wait_until_saved()
    reading = first.handed_out()["reading"]["id"]
    room.take_back(first)
    standing(first.page).to_have_attribute("data-standing", "taken")
    third.open()

    first.add_step(SECOND)
    standing(first.page).to_have_attribute("data-standing", "surplus")
    standing(first.page).to_contain_text("Your reading is kept as surplus")
    kept = room.reading(first, reading)
    assert (kept["state"], [step["text"] for step in kept["content"]["steps"]]) == ("surplus", [FIRST, SECOND])
    # Submitting it changes nothing, and says so again.
    first.page.get_by_role("button", name="Submit and next").click()
    standing(first.page).to_have_attribute("data-standing", "surplus")
    assert room.reading(first, reading)["revision"] == 0

    first.page.get_by_role("button", name="Next case").click()
    told(first.page, "done")
    for desk in (second, third):
        desk.add_step(FIRST)
        assert desk.submit()["state"] == "submitted"
        told(desk.page, "done")
    assert room.reading(first, reading)["state"] == "surplus"
