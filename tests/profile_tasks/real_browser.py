"""A real browser for the tests that look at pages; they skip where there is none.

Needs Chromium and Playwright (``pip install '.[browser]'``, ``apt-get install chromium``).
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

playwright_api = pytest.importorskip(
    "playwright.sync_api",
    reason="Playwright is not installed: pip install 'profile-tasks[browser]'",
)
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright",
    reason="axe is not installed: pip install 'profile-tasks[browser]'",
)
Browser, Page, Locator = playwright_api.Browser, playwright_api.Page, playwright_api.Locator

VIEWS = {
    "light": {"viewport": {"width": 1200, "height": 900}},
    "dark": {"viewport": {"width": 1200, "height": 900}, "color_scheme": "dark"},
    "narrow": {"viewport": {"width": 400, "height": 800}},
    "narrow and dark": {"viewport": {"width": 400, "height": 800}, "color_scheme": "dark"},
}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium. Where it runs, Inspect cannot: both want the thread's event loop."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium on the path: apt-get install chromium")
    with playwright_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield started
        started.close()
