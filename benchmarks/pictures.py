"""`./run python benchmarks/pictures.py`: act the first minute in Chromium and take the README's two pictures of it.

Everything really runs: the dataset is checked, the model trained, the answer given by it. About half a minute.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PIL import Image
from playwright.sync_api import ViewportSize, expect

from tests.sandbox.chromium import CHROMIUM, chromium
from tests.support.served import served

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER: Final = Path(__file__).parents[1] / "docs" / "pictures"
WIDTH: Final = 1240
SIZE: Final[ViewportSize] = {"width": WIDTH, "height": 860}
SHARPNESS: Final = 1.5
BYTES_MAX: Final = 200_000
PATIENCE_MS: Final = 120_000


def main() -> int:
    """Take both pictures; 69 where there is no browser."""
    if CHROMIUM is None:
        sys.stderr.write("Taking pictures needs Chromium (apt-get install chromium).\n")
        return 69
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, served(Path(home) / "home", pace=None) as url, chromium() as browser:
        page = browser.new_context(viewport=SIZE, device_scale_factor=SHARPNESS, reduced_motion="reduce").new_page()
        page.goto(url)
        train(page)
        answer(page)
    return 0


def train(page: Page) -> None:
    """The report as the page opens on it, and its form sent."""
    thread = page.locator("#thread")
    expect(thread).to_contain_text("Ready to train", timeout=PATIENCE_MS)
    expect(page.locator(".reaction").first).to_be_visible()
    page.set_viewport_size({"width": WIDTH, "height": 720})
    take(page, "report")
    page.set_viewport_size(SIZE)
    thread.get_by_role("button", name="Train (free, about").click()
    page.get_by_role("dialog").get_by_role("button", name="Train (free)").click()


def answer(page: Page) -> None:
    """The model's answer below the picture of its held-out rows."""
    thread = page.locator("#thread")
    expect(thread).to_contain_text("answers: it is model", timeout=PATIENCE_MS)
    expect(thread.locator("figure.picture img")).to_have_count(2, timeout=PATIENCE_MS)
    expect(thread.locator("figure.picture img").last).to_be_visible(timeout=PATIENCE_MS)
    thread.get_by_role("button", name="Try it").last.click()
    page.get_by_role("dialog").get_by_role("button", name="Ask").click()
    expect(thread.get_by_role("button", name="Try again")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#unplug")).to_contain_text("Paid runs: 1")
    take(page, "answer")


def take(page: Page, name: str) -> None:
    """Keep what is shown, in 256 colours chosen so that rare ones stay (the green dot)."""
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    page.wait_for_load_state("networkidle")
    path = FOLDER / f"{name}.png"
    shown = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shown.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    sys.stdout.write(f"{path.relative_to(FOLDER.parents[1])}: {size:,} bytes\n")
    assert size < BYTES_MAX, f"{path.name} has {size:,} bytes, more than {BYTES_MAX:,}"


if __name__ == "__main__":
    sys.exit(main())
