"""A reader's hands and eyes: the reading page by its labels, and where a pointer stands in image pixels."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, ViewportSize, expect

from tests.e2e.product import Product

# Long enough for a machine that does five other things.
DEADLINE_MS = 60_000
POLL_MS = 50
WINDOW = ViewportSize(width=1440, height=900)
LACKING = """() => {
  const rows = Array.from(document.querySelectorAll("[data-wanted]"));
  return Object.fromEntries(rows.map(({ dataset }) => [dataset.wanted, Number(dataset.lacking ?? 0)]));
}"""
Box = tuple[float, float, float, float]
Point = tuple[float, float]


def name_after(test: str) -> str:
    """A name for what one test makes, the same in every run."""
    return f"r-{zlib.crc32(test.encode()):08x}"


def becomes(page: Page, read: Callable[[], Any], wanted: Any) -> None:
    """Wait until what is read of a page is as wanted: for what `expect` cannot look at."""
    for _ in range(DEADLINE_MS // POLL_MS):
        if read() == wanted:
            return
        page.wait_for_timeout(POLL_MS)
    assert read() == wanted


def open_context(browser: Browser, product: Product, **options: Any) -> BrowserContext:
    """A browser profile of its own, as of another person at another computer."""
    context = browser.new_context(base_url=product.address, viewport=WINDOW, **options)
    context.set_default_timeout(DEADLINE_MS)
    return context


def log_in(page: Page, product: Product, user: str) -> None:
    """Through the page, as anybody does."""
    page.goto("/login/")
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill(product.logins[user])
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="My cases")).to_be_visible()


@dataclass
class Desk:
    """One reading page of one reader."""

    page: Page
    product: Product
    user: str
    benchmark: str = "demo"
    requests: list[str] = field(default_factory=list)

    def open(self) -> None:
        """Open the reading page and wait for its images."""
        self.page.goto(f"/read/{self.benchmark}/")
        self.wait_for_images()

    def wait_for_images(self) -> None:
        expect(self.page.locator("[data-viewport='0'] .surface")).to_have_attribute("data-ready", "true")
        for surface in self.page.locator(".surface").all():
            expect(surface).to_have_attribute("data-ready", "true")

    def handed_out(self) -> dict[str, Any]:
        """Case, reading and assignment on the desk, as the API has them."""
        return self.product.call(self.user, "POST", f"benchmarks/{self.benchmark}/next/")

    def draft(self) -> dict[str, Any]:
        """The content that the server holds."""
        reading = self.handed_out()["reading"]
        found = self.product.call(self.user, "GET", f"readings/{reading['id']}/")
        content: dict[str, Any] = found["content"]
        return content

    def viewport(self, number: int) -> Locator:
        """The viewport that shows an image."""
        return self.page.locator(f".vp[data-image='{number}']").first

    def choose_layout(self, name: str) -> None:
        """By the words of the picker: one image, four images, nine images."""
        self.page.locator("[data-opens='layouts']").click()
        self.page.get_by_role("button", name=f"Layout: {name}").click()

    def tool(self, name: str) -> None:
        self.page.locator(f"[data-tool='{name}']").click()

    def place(self, image: dict[str, Any], across: float, down: float) -> tuple[Point, Point]:
        """A whole screen pixel near a part of a fitted image, and where it is in image pixels, by the layout."""
        rect = self.viewport(image["number"]).locator(".surface").bounding_box()
        assert rect is not None
        spacing = image["spacing_mm"]
        aspect = spacing[0] / spacing[1] if spacing else 1.0
        scale = min(rect["width"] / image["width"], rect["height"] / (image["height"] * aspect))
        left = rect["x"] + (rect["width"] - image["width"] * scale) / 2
        top = rect["y"] + (rect["height"] - image["height"] * aspect * scale) / 2
        # As a real mouse has them.
        x = round(left + across * image["width"] * scale)
        y = round(top + down * image["height"] * aspect * scale)
        return (x, y), ((x - left) / scale, (y - top) / (scale * aspect))

    def drag(self, start: Point, end: Point, *, steps: int = 4) -> None:
        """One drag of the mouse between two places on the screen."""
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move(*end, steps=steps)
        self.page.mouse.up()

    def draw(self, image: dict[str, Any], fractions: Box, *, steps: int = 4, tool: str = "box") -> Box:
        """Drag a box, or another tool's shape, with the mouse; returns where the pointer was, in image pixels."""
        self.tool(tool)
        start, (x0, y0) = self.place(image, fractions[0], fractions[1])
        end, (x1, y1) = self.place(image, fractions[2], fractions[3])
        self.drag(start, end, steps=steps)
        return x0, y0, x1, y1

    def scale(self, number: int) -> float:
        """Screen pixels of an image pixel, as the page says it."""
        said = self.viewport(number).locator(".ov.bl").inner_text()
        found = re.search(r"Zoom ([\d.]+)", said)
        assert found is not None, said
        return float(found[1])

    def add_step(self, text: str) -> None:
        """A new step, which is active until another one is."""
        self.page.get_by_role("button", name="Step", exact=True).click()
        self.page.locator(".step.active textarea").fill(text)

    def write(self, field: str, text: str) -> None:
        """Type into a field of a structured reading, as on a keyboard."""
        self.page.get_by_label(field, exact=True).click()
        self.page.keyboard.type(text)

    def lacks(self) -> dict[str, int]:
        """What the page asks for before a submit, with how often it lacks."""
        lacking: dict[str, int] = self.page.evaluate(LACKING)
        return lacking

    def comes_to_lack(self, wanted: dict[str, int]) -> None:
        """Wait until the page asks for this."""
        becomes(self.page, self.lacks, wanted)

    def submit(self) -> dict[str, Any]:
        """Submit the case on the desk; returns what the server holds of it."""
        handed = self.handed_out()
        self.page.get_by_role("button", name="Submit and next").click()
        expect(self.page.locator(".toast")).to_contain_text(f"Reading of case {handed['case']['key']} submitted")
        return self.product.call(self.user, "GET", f"readings/{handed['reading']['id']}/")

    def choose(self, letter: str) -> None:
        self.page.locator(f".opt:has(input[value='{letter}'])").click()
        expect(self.page.locator(f"input[name='answer'][value='{letter}']")).to_be_checked()

    def set_confidence(self, percent: int) -> None:
        self.page.get_by_label("Confidence").fill(str(percent))

    def wait_until_saved(self) -> None:
        """Until the server holds everything that is on the page."""
        expect(self.page.locator("[data-save]")).to_have_attribute("data-save", "saved")
        expect(self.page.locator("[data-save]")).to_contain_text("Saved")


def box_of(roi: dict[str, Any]) -> Box:
    """A box ROI's corners."""
    at = roi["geometry"]
    return at["x0"], at["y0"], at["x1"], at["y1"]
