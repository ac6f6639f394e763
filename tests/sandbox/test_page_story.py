"""The first three minutes by hand in Chromium, against everything that really runs: train, unplug, try."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.sandbox.chromium import DESKTOP, IN_CHROMIUM, PHONE, chromium, opened
from tests.support.served import TRAIN, paid_runs, served

if TYPE_CHECKING:
    from collections.abc import Generator

    from playwright.sync_api import Browser, Page

pytestmark = [*IN_CHROMIUM, pytest.mark.timeout(900)]  # everything that runs, and two trainings in it


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with served(tmp_path_factory.mktemp("story") / "home") as address:
        yield address


def train(page: Page, name: str, epochs: str) -> None:
    """From the page as it opens to a job that trains: nobody has opened a thread."""
    thread = page.locator("#thread")
    expect(thread).to_contain_text("Ready to train")
    thread.get_by_role("button", name=TRAIN).click()
    modal = page.get_by_role("dialog")
    modal.get_by_label("Name").fill(name)
    modal.get_by_label("Epochs").fill(epochs)
    modal.get_by_label("Epochs").press("Enter")
    expect(page.locator("#messages")).to_contain_text(f"{name} (j")


def ask(page: Page, name: str) -> None:
    """Once the model answers its thread is open; a question it was not trained on stands in the form."""
    thread = page.locator("#thread")
    expect(thread).to_contain_text(f"{name} answers: it is model")
    expect(thread.locator("figure.picture img").first).to_be_visible()
    thread.get_by_role("button", name="Try it").last.click()
    modal = page.get_by_role("dialog")
    question = modal.get_by_label("Prompt").input_value()
    assert len(question) > 20
    modal.get_by_label("Prompt").press("Control+Enter")
    expect(thread.locator("blockquote")).to_have_text(question)
    expect(thread.get_by_role("button", name="Try again")).to_be_visible()


def test_trained_unplugged_and_tried_by_hand(browser: Browser, url: str) -> None:
    with opened(browser, url, DESKTOP) as page:
        expect(page.locator("#badges")).to_have_text("toy model")
        train(page, "by-hand", epochs="15")

        panel = page.locator("#unplug")
        expect(panel).to_contain_text("A model is training")
        for label in ("Kill a worker", "Drop the provider's reply", "Redeliver", "Restart Redis"):
            panel.get_by_role("button", name=label).click()
        expect(page.locator("#messages")).to_contain_text("Ready.")
        expect(panel).to_contain_text("Paid runs: 1")
        assert paid_runs(url) == 1

        ask(page, "by-hand")


def test_the_same_on_a_phone(browser: Browser, url: str) -> None:
    before = paid_runs(url)
    with opened(browser, url, PHONE) as page:
        page.get_by_role("button", name="Close the thread").tap()
        page.locator("#messages").get_by_role("button", name="1 reply").first.tap()
        train(page, "by-phone", epochs="5")
        expect(page.locator("#thread")).to_be_hidden()  # the card is behind it
        ask(page, "by-phone")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Unplug…").tap()
        expect(page.locator("#unplug")).to_contain_text(f"Paid runs: {before + 1}")


def test_form_that_changes_while_somebody_types_keeps_every_character(browser: Browser, url: str) -> None:
    """Each character is told to the bot, which shows the form anew; the caret stays where it was."""
    with opened(browser, url, DESKTOP) as page:
        page.locator("#messages").get_by_role("button", name="repl").first.click()
        page.locator("#thread").get_by_role("button", name=TRAIN).click()
        modal = page.get_by_role("dialog")
        field = modal.get_by_label("Name")
        field.fill("")
        field.press_sequentially("typed-by-hand", delay=40)
        expect(modal).to_contain_text("ft:toy-gpt:local:typed-by-hand:…")
        expect(field).to_have_value("typed-by-hand")
        expect(field).to_be_focused()
        modal.get_by_label("Epochs").fill("51")
        expect(modal).to_contain_text("Epochs is a whole number from 1 to 50.")
        modal.get_by_role("button", name="Advanced…").click()
        expect(modal.get_by_label("Learning-rate multiplier")).to_be_visible()
        expect(field).to_have_value("typed-by-hand")
        modal.get_by_role("button", name="Not now").click()
