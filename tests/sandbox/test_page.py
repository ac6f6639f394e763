"""The page in Chromium: the whole story by hand, and nothing that runs because somebody wrote it."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from slack_bolt import App
from slack_sdk import WebClient

from sandbox.client import Person, Workspace
from tests.sandbox.chromium import IN_CHROMIUM, chromium, opened

Json = dict[str, Any]
Connect = Callable[[App], Any]

pytestmark = IN_CHROMIUM


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, url: str) -> Generator[Page]:
    """The page, open on #tuning as Mina."""
    with opened(browser, url) as page:
        yield page


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def launch_modal() -> Json:
    epochs = {"type": "number_input", "is_decimal_allowed": False, "action_id": "n", "initial_value": "3"}
    models = [{"text": plain(name), "value": name} for name in ("tiny", "big")]
    groups = [{"label": plain(f"{one['value']} ones"), "options": [one]} for one in models]
    model = {"type": "static_select", "action_id": "m", "option_groups": groups, "initial_option": models[0]}
    told = {"type": "checkboxes", "action_id": "c", "options": [{"text": plain("when ready"), "value": "ready"}]}
    blocks = [
        {"type": "input", "block_id": "epochs", "label": plain("Epochs"), "element": epochs},
        {"type": "input", "block_id": "model", "label": plain("Model"), "element": model},
        {"type": "input", "block_id": "told", "label": plain("Tell me"), "element": told, "optional": True},
    ]
    return {"type": "modal", "callback_id": "t", "title": plain("Train"), "submit": plain("Go"), "blocks": blocks}


def tuner(app: App) -> None:
    """A small app with the shape of the real one."""

    @app.event("message")
    def report(event: Json, client: WebClient) -> None:
        if event.get("subtype") == "file_share":
            button = {"type": "button", "text": plain("Train…"), "action_id": "train", "style": "primary"}
            blocks = [mrkdwn("*Ready to train.*"), {"type": "actions", "elements": [button]}]
            client.chat_postMessage(channel=event["channel"], thread_ts=event["ts"], text="ready", blocks=blocks)

    @app.event("file_shared")
    def ignore() -> None:
        pass

    @app.action("train")
    def ask(ack: Any, body: Json, client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=launch_modal())

    @app.view("t")
    def start(ack: Any, view: Json, client: WebClient) -> None:
        values = view["state"]["values"]
        if int(values["epochs"]["n"]["value"]) > 10:
            ack(response_action="errors", errors={"epochs": "At most 10."})
            return
        ack()
        model = values["model"]["m"]["selected_option"]["value"]
        told = [option["value"] for option in values["told"]["c"]["selected_options"]]
        client.chat_postMessage(channel="#tuning", text=f"{model} started, told {told}")

    @app.command("/tune")
    def help_(ack: Any) -> None:
        ack("Say *help*")


def test_the_whole_story_by_hand(page: Page, app: App, workspace: Workspace, connect: Connect, tmp_path: Path) -> None:
    tuner(app)
    connect(app)
    expect(page.locator("#presence")).to_have_text("The app is connected")
    (tmp_path / "tickets.jsonl").write_text('{"a": 1}\n', encoding="utf-8")
    page.set_input_files("#composer input[type=file]", tmp_path / "tickets.jsonl")
    page.get_by_role("button", name="1 reply").click()
    page.get_by_role("button", name="Train…").click()

    modal = page.get_by_role("dialog")
    expect(modal.get_by_role("heading", name="Train")).to_be_visible()
    modal.get_by_label("Epochs").fill("12")
    modal.get_by_role("button", name="Go").click()
    expect(modal.get_by_role("alert")).to_have_text("At most 10.")
    modal.get_by_label("Epochs").fill("4")
    headings = modal.get_by_label("Model").locator("optgroup")
    assert headings.evaluate_all("all => all.map(one => one.label)") == ["tiny ones", "big ones"]
    modal.get_by_label("Model").select_option("big")
    modal.get_by_label("when ready").check()
    modal.get_by_label("Epochs").press("Enter")
    expect(page.get_by_text("big started, told ['ready']")).to_be_visible()
    expect(modal).to_be_hidden()

    page.get_by_role("button", name="Close the thread").click()
    page.get_by_label("Message #tuning").fill("/tune help")
    page.keyboard.press("Enter")
    expect(page.locator(".ephemeral")).to_contain_text("Only visible to you")
    page.get_by_label("Who you are").select_option(label="Jun Lee · Admin")
    expect(page.locator(".ephemeral")).to_have_count(0)
    expect(page.get_by_text("big started")).to_be_visible()


def test_a_file_is_dropped_with_the_mouse(page: Page, workspace: Workspace) -> None:
    transfer = page.evaluate_handle(
        """() => { const carried = new DataTransfer();
        carried.items.add(new File(['{"a": 1}\\n'], 'dropped.jsonl')); return carried; }"""
    )
    page.dispatch_event("#room", "dragover", {"dataTransfer": transfer})
    expect(page.locator("#room")).to_have_attribute("data-drop", "Drop to share in #tuning")
    page.dispatch_event("#room", "drop", {"dataTransfer": transfer})
    expect(page.locator("a.file")).to_contain_text("dropped.jsonl")
    [said] = workspace.wait_for(lambda w: w.messages("#tuning"))
    assert workspace.file_content(said.files[0]["id"]) == b'{"a": 1}\n'


def test_what_people_and_models_write_is_shown_and_never_run(page: Page, slack: WebClient, mina: Person) -> None:
    nasty = "<img src=x onerror=\"document.title='run'\"> *bold* `code` <!channel>"
    mina.say("#tuning", nasty)
    slack.chat_postMessage(
        channel="#tuning",
        text="x",
        blocks=[
            mrkdwn("<javascript:alert(1)|press me> _it_ ~no~ <https://example.com|fine> &lt;b&gt; :eyes:"),
            {"type": "section", "text": plain("<b>plain</b> *stars*")},
            {"type": "image", "image_url": "https://example.com/beacon.png", "alt_text": "a beacon"},
            {"type": "markdown", "text": "**strong** <script>document.title='run'</script>"},
        ],
    )
    room = page.locator("#messages")
    expect(room).to_contain_text("<script>document.title='run'</script>")
    expect(room).to_contain_text("<img src=x onerror=\"document.title='run'\">")
    expect(room).to_contain_text("<b>plain</b> *stars*")
    expect(room.locator("em")).to_have_text("it")
    expect(room.get_by_role("link", name="fine")).to_have_attribute("rel", "noopener noreferrer")
    assert room.get_by_role("link", name="press me").count() == 0
    assert room.locator("img").count() == 0
    expect(room.locator("strong", has_text="bold")).to_be_visible()
    assert page.title() == "Local workspace (stand-in for Slack)"


def test_a_message_edited_in_place_keeps_the_keyboard_where_it_was(
    page: Page, slack: WebClient, workspace: Workspace
) -> None:
    def card(step: int) -> list[Json]:
        buttons = [{"type": "button", "text": plain(name), "action_id": name} for name in ("Pause", "Cancel")]
        return [mrkdwn(f"step {step}"), {"type": "actions", "elements": buttons}]

    posted = slack.chat_postMessage(channel="#tuning", text="card", blocks=card(1))
    page.get_by_role("button", name="Cancel").focus()
    slack.chat_update(channel=posted["channel"], ts=posted["ts"], text="card", blocks=card(2))
    expect(page.locator("#messages")).to_contain_text("step 2")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()


def test_a_phone_shows_one_pane_at_a_time(page: Page, mina: Person) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    root = mina.say("#tuning", "a question")
    mina.say("#tuning", "an answer", thread_ts=root.ts)
    channels = page.get_by_role("navigation", name="Channels")
    expect(channels).to_be_hidden()
    page.get_by_role("button", name="Show channels").click()
    channels.get_by_role("button", name="#general").click()
    expect(page.get_by_text("The bot is not in this channel")).to_be_visible()
    page.get_by_role("button", name="Invite it").click()
    expect(page.get_by_text("This is #general.")).to_be_visible()
    page.get_by_role("button", name="Show channels").click()
    channels.get_by_role("button", name="#tuning").click()
    page.get_by_role("button", name="1 reply").click()
    expect(page.locator("#thread")).to_contain_text("an answer")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
