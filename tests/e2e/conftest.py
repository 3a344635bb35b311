"""The browser and the running product of the end-to-end tests."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from pydicom.data import get_testdata_file

from tests.e2e.desk import DEADLINE_MS, Desk, log_in, name_after, open_context
from tests.e2e.product import Product

# Headless in a container: no sandbox of its own as root, and no talk with its maker's servers.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# A case for each test that needs a draft of its own, open to many readers.
SLUG = "drafts"
FILES = ("CT_small.dcm", "examples_ybr_color.dcm")
MANY_READERS = "20"

# As long as for everything else that is waited for; Playwright itself gives an expectation five seconds.
expect.set_options(timeout=DEADLINE_MS)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium lies; `make test` names it in SIGHTLINE_CHROMIUM."""
    found = os.environ.get("SIGHTLINE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], chromium: str) -> dict[str, Any]:
    """Playwright's launch options."""
    return {**browser_type_launch_args, "executable_path": chromium, "args": list(FLAGS)}


@pytest.fixture(scope="session")
def product(request: pytest.FixtureRequest, chromium: str) -> Iterator[Product]:
    """The product as README starts it; at the end Ctrl-C must leave nothing of it."""
    # A short path: the servers' sockets lie in it.
    folder = Path(tempfile.mkdtemp(prefix="sightline-e2e-"))
    try:
        running = Product.start(folder / "var")
        yield running
        left = running.stop()
        if request.session.testsfailed or left:
            print(f"\n{running.logs()}")
        assert not left, "still running after Ctrl-C:\n" + "\n".join(left)
        assert running.process is not None
        assert running.process.returncode == 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def profile(browser: Browser, product: Product) -> Iterator[Callable[..., BrowserContext]]:
    """Browser profiles, each as of another person at another computer."""
    opened: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        opened.append(open_context(browser, product, **options))
        return opened[-1]

    yield make
    for context in opened:
        context.close()


@pytest.fixture(scope="session")
def drafts(product: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A benchmark with one case of two DICOM images, a still one and a cine, for many readers; its slug."""
    folder = tmp_path_factory.mktemp("dicom") / "one-case"
    folder.mkdir()
    for name in FILES:
        shutil.copy(str(get_testdata_file(name, download=False)), folder / name)
    product.manage("create_benchmark", SLUG, "--protocol", "free", "--overlap", MANY_READERS)
    report = product.manage_json("import_cases", SLUG, folder.parent, "--format", "dicom")
    assert (report["created"], report["rejected"]) == (1, [])
    return SLUG


@pytest.fixture
def desk(profile: Callable[..., BrowserContext], product: Product, drafts: str, request: pytest.FixtureRequest) -> Desk:
    """A reader of this test alone, logged in."""
    user = product.add_reader(name_after(request.node.nodeid), drafts)
    page = profile().new_page()
    log_in(page, product, user)
    return Desk(page=page, product=product, user=user, benchmark=drafts)
