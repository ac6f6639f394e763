"""What the page offers and how it shows it: suggestions, menus, emoji, dates, pictures, the keyboard."""

from __future__ import annotations

import dataclasses
import struct
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from sandbox.config import Hint, SandboxConfig, Shortcut
from tests.sandbox.chromium import IN_CHROMIUM, PHONE, chromium, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from playwright.sync_api import Browser, Page
    from slack_bolt import App
    from slack_sdk import WebClient

    from sandbox.client import Person, Workspace

    Json = dict[str, Any]

pytestmark = IN_CHROMIUM
HINTS = (Hint(usage="/tune train d12", what="the form"), Hint(usage="/tune try m42 your prompt", what="ask a model"))


@pytest.fixture
def config(config: SandboxConfig) -> SandboxConfig:
    return dataclasses.replace(config, hints=HINTS, shortcuts=(Shortcut(name="Check dataset", callback_id="check"),))


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, url: str) -> Generator[Page]:
    with opened(browser, url) as page:
        yield page


WHERE = """(() => {
  const here = document.activeElement;
  if (here === document.body) return null;
  const ring = getComputedStyle(here).outlineStyle !== "none" || here.closest(".composer") !== null;
  return [(here.getAttribute("aria-label") || here.textContent || here.id).trim(), ring];
})()"""


def section(text: str) -> list[Json]:
    return [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]


def a_png() -> bytes:
    """A picture of one grey pixel."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0\x80")),
        (b"IEND", b""),
    ]
    chunks = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_a_command_is_completed_by_its_verbs(page: Page) -> None:
    box = page.locator("#composer-text")
    box.type("/")
    offers = page.get_by_role("listbox").get_by_role("option")
    expect(offers).to_have_count(2)
    box.type("tune tr")
    expect(offers).to_have_text(["/tune train d12the form", "/tune try m42 your promptask a model"])
    box.press("ArrowDown")
    expect(offers.nth(1)).to_have_attribute("aria-selected", "true")
    box.press("Tab")
    expect(box).to_have_value("/tune try ")
    expect(offers).to_have_count(0)


def test_escape_takes_the_suggestions_away_and_nothing_else(page: Page, mina: Person) -> None:
    mina.say("#tuning", "a question")
    page.get_by_role("button", name="Reply in thread").click()
    page.locator("#thread-text").type("@tu")
    offers = page.get_by_role("listbox").get_by_role("option")
    expect(offers).to_have_text("@tuneroomTuneroom")
    page.keyboard.press("Escape")
    expect(offers).to_have_count(0)
    expect(page.locator("#thread")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#thread")).to_be_hidden()
    expect(page.locator("#composer-text")).to_be_focused()


def test_a_mention_is_completed_and_becomes_one(page: Page, workspace: Workspace) -> None:
    box = page.locator("#composer-text")
    box.type("hello @tun")
    box.press("Enter")
    expect(box).to_have_value("hello @tuneroom ")
    box.press("Enter")
    expect(page.locator("#messages .mention")).to_have_text("@tuneroom")
    [said] = workspace.wait_for(lambda w: w.messages("#tuning"))
    assert said.raw["text"] == f"hello <@{workspace.user_id('tuneroom')}>"


def test_a_message_shortcut_runs_from_the_messages_menu_by_keyboard(
    page: Page, app: App, connect: Callable[[App], Any], mina: Person
) -> None:
    @app.shortcut("check")
    def check(ack: Any, body: Json, client: WebClient) -> None:
        ack()
        client.chat_postMessage(
            channel="#tuning", thread_ts=body["message"]["ts"], text=f"checked {body['message']['text']}"
        )

    @app.event("message")
    def ignore() -> None:
        pass

    connect(app)
    mina.say("#tuning", "this one")
    page.get_by_role("button", name="More: reply").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Reply in thread")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("menuitem", name="Check dataset")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#thread")).to_contain_text("checked this one")  # opened by itself


def test_a_reaction_is_chosen_and_drawn_without_an_emoji_font(page: Page, mina: Person, workspace: Workspace) -> None:
    message = mina.say("#tuning", "done :tada:")
    expect(page.locator(".text svg.emoji")).to_have_attribute("aria-label", ":tada:")
    page.get_by_role("button", name="React", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="white_check_mark").click()
    expect(page.locator(".reaction svg.emoji")).to_be_visible()
    assert workspace.wait_for(lambda w: w.message(message).reactions) == ["white_check_mark"]


def test_a_menu_stays_while_messages_arrive(page: Page, mina: Person, workspace: Workspace) -> None:
    for number in range(20):
        message = mina.say("#tuning", f"message {number}")
    expect(page.get_by_text("message 19")).to_be_in_viewport()
    page.get_by_role("button", name="React", exact=True).last.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    mina.say("#tuning", "one more")
    expect(page.get_by_text("one more")).to_be_in_viewport()
    expect(page.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert workspace.wait_for(lambda w: w.message(message).reactions) == ["+1"]


def test_the_newest_message_stays_in_sight_when_the_window_shrinks(page: Page, mina: Person) -> None:
    for number in range(12):
        mina.say("#tuning", f"message {number}")
    expect(page.get_by_text("message 11")).to_be_in_viewport()
    page.set_viewport_size({"width": 1200, "height": 480})
    expect(page.get_by_text("message 11")).to_be_in_viewport()


def test_dates_are_shown_in_the_readers_zone(page: Page, slack: WebClient) -> None:
    slack.chat_postMessage(
        channel="#tuning",
        text="x",
        blocks=section("started <!date^1763700000^{date_num} {time}|some day> and <!date^nonsense^{date}|never>"),
    )
    expect(page.locator(".section-text")).to_have_text("started 2025-11-21 13:40 and never")  # Seoul


def test_a_picture_enlarges_and_escape_closes_it(page: Page, mina: Person) -> None:
    mina.drop("#tuning", "loss.png", a_png())
    page.get_by_role("button", name="Enlarge: loss.png").click()
    expect(page.get_by_role("dialog")).to_contain_text("loss.png")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_thread_that_was_closed_stays_closed(page: Page, mina: Person, slack: WebClient) -> None:
    root = mina.say("#tuning", "a question")
    page.get_by_role("button", name="Reply in thread").click()
    page.locator("#thread-text").fill("and another")
    page.locator("#thread-text").press("Enter")
    slack.chat_postMessage(channel="#tuning", thread_ts=root.ts, text="one")
    expect(page.locator("#thread")).to_contain_text("one")
    page.get_by_role("button", name="Close the thread").click()
    slack.chat_postMessage(channel="#tuning", thread_ts=root.ts, text="two")
    expect(page.get_by_role("button", name="3 replies")).to_be_visible()
    expect(page.locator("#thread")).to_be_hidden()


def test_an_empty_home_says_so_in_words(page: Page) -> None:
    page.get_by_role("button", name="Home").click()
    expect(page.locator("#home")).to_contain_text("The app has put nothing on its Home.")


def test_everything_is_reached_by_tab_and_shows_where_it_is(page: Page, slack: WebClient) -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "Train…"}, "action_id": "t"}
    slack.chat_postMessage(channel="#tuning", text="x", blocks=[{"type": "actions", "elements": [button]}])
    expect(page.get_by_role("button", name="Train…")).to_be_visible()
    page.locator("body").press("Tab")
    seen: list[str] = []
    while (here := page.evaluate(WHERE)) is not None:
        assert here[1], f"no ring around {here[0]!r}"
        seen.append(here[0])
        page.keyboard.press("Tab")
    for wanted in ("Skip to the message box", "#general", "Home", "As awkward as Slack", "Train…", "React", "Send"):
        assert any(one.startswith(wanted) for one in seen), f"{wanted} is not reached: {seen}"


def test_a_phones_sheets_close_by_what_lies_beside_them(browser: Browser, url: str, mina: Person) -> None:
    root = mina.say("#tuning", "a question")
    mina.say("#tuning", "an answer", thread_ts=root.ts)
    with opened(browser, url, PHONE) as page:
        page.get_by_role("button", name="1 reply").tap()
        expect(page.locator("#thread")).to_be_visible()
        page.touchscreen.tap(200, 40)
        expect(page.locator("#thread")).to_be_hidden()
        page.get_by_role("button", name="Show channels").tap()
        expect(page.get_by_role("button", name="#general")).to_be_visible()
        page.touchscreen.tap(380, 400)
        expect(page.get_by_role("button", name="#general")).to_be_hidden()


def test_on_a_phone_one_button_of_a_message_holds_everything(browser: Browser, url: str, mina: Person) -> None:
    mina.say("#tuning", "a question")
    with opened(browser, url, PHONE) as page:
        expect(page.get_by_role("button", name="React", exact=True)).to_be_hidden()
        page.get_by_role("button", name="More: reply").tap()
        page.get_by_role("menuitem", name="React…").tap()
        page.get_by_role("menuitem", name="heart").tap()
        expect(page.locator(".reaction svg.emoji")).to_have_attribute("aria-label", ":heart:")


def test_the_page_in_the_dark_is_dark(browser: Browser, url: str) -> None:
    with opened(browser, url) as page:
        page.emulate_media(color_scheme="dark")
        paper = page.evaluate("getComputedStyle(document.getElementById('room')).backgroundColor")
        ink = page.evaluate("getComputedStyle(document.getElementById('room')).color")
        assert luminance(paper) < 50
        assert luminance(ink) > 180


def luminance(color: str) -> float:
    channels = [int(part) for part in color.removeprefix("rgb(").removesuffix(")").split(", ")]
    return sum(channels) / len(channels)
