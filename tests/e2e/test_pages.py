"""Every page, for each role and theme: nothing in the console, nothing against the policy, nothing in the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.desk import Desk, log_in, name_after
from tests.e2e.product import Product

pytestmark = pytest.mark.e2e

ROLES = ("demo_reader_2", "demo_curator")
DOCS = "/api/docs/"
FOR_ALL = ("/", "/benchmarks/", "/benchmarks/demo/", "/benchmarks/demo/cases/", DOCS, "CASE", "/nothing/here/")
FOR_CURATORS = (
    "/benchmarks/demo/cases/?model=planted",
    "/benchmarks/demo/models/",
    "/benchmarks/demo/runs/",
    "/benchmarks/demo/runs/?show=case",
    "/benchmarks/demo/schedules/",
    "/benchmarks/demo/schedules/new/",
    "/benchmarks/demo/snapshots/",
    "/benchmarks/phantom-thinking/agreement/",
    "/benchmarks/phantom-thinking/agreement/pairs/",
    "/benchmarks/phantom-thinking/progress/",
    "/models/",
    "MODEL",
    "/users/",
    "/audit/",
)
# Drawn by a script that comes after the page.
PLOTTED = ("/benchmarks/phantom-thinking/agreement/", "/benchmarks/phantom-thinking/progress/")
# What a reader meets on such a page: its name, and whom to ask.
REFUSED = "/benchmarks/demo/runs/"
STATUS = {"/nothing/here/": 404}
# Canvases, and the documentation that Swagger UI draws, are not ours to mend.
LEFT_OUT = [["canvas"], ["#swagger-ui"]]
SERIOUS = {"serious", "critical"}
POLICY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class Watched:
    """What a page complains about while it is looked at."""

    def __init__(self, page: Page, theme: str) -> None:
        self.page = page
        self.theme = theme
        self.complaints: list[str] = []
        page.on("console", lambda message: self._heard(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))

    def _heard(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(f"{self.page.url}: {kind}: {text}")

    def open(self, address: str, *, status: int = 200) -> None:
        """Go there and check headers, console and accessibility."""
        answer = self.page.goto(address, wait_until="load")
        assert answer is not None
        assert answer.status == status
        headers = answer.all_headers()
        check_headers(headers)
        if status != 200:
            # The browser itself says that the page was not found.
            self.complaints = [one for one in self.complaints if f"status of {status}" not in one]

    def check(self) -> None:
        """Nothing was said and nothing is in anybody's way."""
        if DOCS not in self.page.url:
            assert self.page.locator("html").get_attribute("data-theme") == self.theme
        assert self.complaints == []
        assert violations(self.page) == []


def check_headers(headers: dict[str, str]) -> None:
    """The policy that every page carries."""
    policy = headers["content-security-policy"]
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert {name: headers.get(name) for name in POLICY} == POLICY


def violations(page: Page) -> list[str]:
    """What axe calls serious or critical, each with its element."""
    found: dict[str, Any] = Axe().run(page, context={"exclude": LEFT_OUT}).response
    return [
        f"{page.url}: {one['id']}: {one['help']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for one in found["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


@pytest.fixture(params=["dark", "light"])
def watched(request: pytest.FixtureRequest, profile: Callable[..., BrowserContext], product: Product) -> Watched:
    """A page in one theme."""
    context = profile()
    context.add_cookies([{"name": "theme", "value": request.param, "url": product.address}])
    return Watched(context.new_page(), request.param)


def address_of(page: str, product: Product) -> str:
    """Addresses that hold an id are looked up."""
    if page == "CASE":
        case = product.call("demo_curator", "GET", "benchmarks/demo/cases/")["results"][-1]
        return f"/cases/{case['id']}/"
    if page == "MODEL":
        found = product.call("demo_curator", "GET", "models/")["results"]
        return f"/models/{next(one['id'] for one in found if one['name'] == 'planted')}/"
    return page


def test_log_in(watched: Watched) -> None:
    watched.open("/login/")
    watched.check()
    watched.page.get_by_label("User name").fill("nobody")
    watched.page.get_by_label("Password").fill("nothing")
    watched.page.get_by_role("button", name="Log in").click()
    expect(watched.page.get_by_role("alert")).to_contain_text("do not fit together")
    watched.check()


@pytest.mark.parametrize("user", ROLES)
def test_ordinary_pages(watched: Watched, product: Product, user: str) -> None:
    log_in(watched.page, product, user)
    for page in (*FOR_ALL, *FOR_CURATORS) if user == "demo_curator" else FOR_ALL:
        watched.open(address_of(page, product), status=STATUS.get(page, 200))
        if page == DOCS:
            expect(watched.page.locator(".opblock").first).to_be_visible()
        if page in PLOTTED:
            expect(watched.page.locator("figure svg.drawn-plot").first).to_be_visible()
        if page == "CASE" and user == "demo_curator":
            expect(watched.page.get_by_role("table", name="Grounding scores")).to_be_visible()
        watched.check()


def test_a_page_that_is_refused(watched: Watched, product: Product) -> None:
    log_in(watched.page, product, "demo_reader_2")
    watched.open(REFUSED, status=403)
    expect(watched.page.get_by_role("heading", name="You cannot open the runs of a benchmark")).to_be_visible()
    expect(watched.page.get_by_text("demo_curator can give you a role")).to_be_visible()
    watched.check()


def test_the_reading_page(watched: Watched, product: Product, drafts: str, request: pytest.FixtureRequest) -> None:
    user = product.add_reader(name_after(request.node.nodeid), drafts)
    log_in(watched.page, product, user)
    desk = Desk(watched.page, product, user, drafts)
    watched.open(f"/read/{drafts}/")
    desk.wait_for_images()
    watched.check()
    desk.add_step("Something to cite.")
    desk.draw(desk.handed_out()["case"]["images"][0], (0.2, 0.2, 0.5, 0.5))
    desk.wait_until_saved()
    watched.check()
    watched.page.keyboard.press("?")
    expect(watched.page.get_by_role("dialog", name="Keys")).to_be_visible()
    watched.check()
