"""The page in Chromium, and nothing else: an error of its own, or a request elsewhere, fails the test."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Generator

    from playwright.sync_api import Browser, Page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IN_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="NO CHROMIUM HERE: the page is NOT tested (apt-get install chromium)"),
]
# What is expected comes at once, or much later on a machine that does ten other things.
PATIENCE_MS = 240_000
expect.set_options(timeout=PATIENCE_MS)
DESKTOP, PHONE = (1200, 800), (390, 800)


@contextlib.contextmanager
def chromium() -> Generator[Browser]:
    """Start the browser; for a module, because Playwright's loop would be in the way of other modules' own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextlib.contextmanager
def opened(browser: Browser, url: str, size: tuple[int, int] = DESKTOP) -> Generator[Page]:
    """Open the page on #tuning as Mina, for somebody in Seoul."""
    faults: list[str] = []
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        timezone_id="Asia/Seoul",
        locale="en-GB",
        has_touch=size == PHONE,
        is_mobile=size == PHONE,
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: None if request.url.startswith(url) else faults.append(request.url))
    page.goto(url)
    expect(page.locator("#room-name")).to_have_text("#tuning")
    yield page
    context.close()
    assert faults == []
