"""Clicks, modals, commands and response addresses, with a real slack-bolt app on the other end."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from slack_bolt import App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from sandbox.client import NotAnsweredError, Person, RefusedError, Workspace
from sandbox.refusals import SlackError
from sandbox.triggers import Triggers

Json = dict[str, Any]
Connect = Callable[[App], Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def card(*elements: Json) -> list[Json]:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "*1,204 rows*"}}
    return [section, {"type": "actions", "block_id": "deeds", "elements": list(elements)}]


def button(text: str, action_id: str, value: str = "d12") -> Json:
    return {"type": "button", "text": plain(text), "action_id": action_id, "value": value}


def options(*texts: str) -> list[Json]:
    return [{"text": plain(text), "value": text.lower()} for text in texts]


def training_modal(**more: Any) -> Json:
    epochs = {"type": "number_input", "is_decimal_allowed": False, "action_id": "n", "initial_value": "3"}
    model = {"type": "static_select", "action_id": "m", "options": options("Tiny", "Big")}
    model["initial_option"] = model["options"][0]
    note = {"type": "plain_text_input", "action_id": "t", "max_length": 20}
    blocks = [
        {"type": "input", "block_id": "epochs", "label": plain("Epochs"), "element": epochs},
        {"type": "input", "block_id": "model", "label": plain("Model"), "element": model},
        {"type": "input", "block_id": "note", "label": plain("Note"), "element": note, "optional": True},
    ]
    return {
        "type": "modal",
        "callback_id": "train",
        "title": plain("Train"),
        "submit": plain("Go"),
        "private_metadata": "d12",
        "blocks": blocks,
        **more,
    }


def post_card(slack: WebClient, workspace: Workspace, *elements: Json) -> Any:
    slack.chat_postMessage(channel="#tuning", text="report", blocks=card(*elements))
    return workspace.wait_for_message("#tuning", "1,204 rows")


def test_from_a_button_to_a_modal_with_errors_and_a_submission(
    app: App, slack: WebClient, workspace: Workspace, mina: Person, connect: Connect
) -> None:
    bodies: list[Json] = []

    @app.action("train")
    def open_modal(ack: Any, body: Json, client: WebClient) -> None:
        bodies.append(body)
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=training_modal())

    @app.view("train")
    def check(ack: Any, body: Json, view: Json) -> None:
        bodies.append(body)
        epochs = int(view["state"]["values"]["epochs"]["n"]["value"])
        ack(response_action="errors", errors={"epochs": "At most 10."}) if epochs > 10 else ack()

    connect(app)
    report = post_card(slack, workspace, button("Train…", "train"))
    mina.click(report, "Train…")
    click = bodies.pop()
    assert click["actions"][0].items() >= {"action_id": "train", "block_id": "deeds", "value": "d12"}.items()
    assert click["container"] == {
        "type": "message", "message_ts": report.ts, "channel_id": report.channel, "is_ephemeral": False,
    }  # fmt: skip
    assert click["message"]["blocks"][0]["text"]["text"] == "*1,204 rows*"
    assert click["user"]["id"] == mina.id

    modal = mina.view("Train")
    assert modal.values == {"Epochs": "3", "Model": "Tiny", "Note": None}
    assert mina.submit(modal, {"Epochs": "12"}).errors == {"epochs": "At most 10."}
    assert workspace.views("mina"), "a modal with errors stays open"
    assert mina.submit(modal, {"Epochs": "4", "Model": "Big", "note": {"t": "hello"}}).closed
    assert workspace.views("mina") == []
    submitted = bodies[-1]["view"]
    assert submitted["private_metadata"] == "d12"
    assert submitted["state"]["values"] == {
        "epochs": {"n": {"type": "number_input", "value": "4"}},
        "model": {"m": {"type": "static_select", "selected_option": {"text": plain("Big"), "value": "big"}}},
        "note": {"t": {"type": "plain_text_input", "value": "hello"}},
    }


def test_what_slacks_client_refuses_never_reaches_the_app(
    app: App, slack: WebClient, workspace: Workspace, mina: Person, connect: Connect
) -> None:
    @app.action("train")
    def open_modal(ack: Any, body: Json, client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=training_modal())

    connect(app)
    mina.click(post_card(slack, workspace, button("Train…", "train")), "train")
    modal = mina.view()
    for wrong, sentence in (
        ({"Epochs": ""}, "Please complete this required field."),
        ({"Epochs": "many"}, "Please enter a number."),
        ({"Epochs": "1.5"}, "Please enter a whole number."),
    ):
        assert mina.submit(modal, wrong).errors == {"epochs": sentence}
    refused = mina.submit(modal, {"Epochs": "3", "Note": "x" * 21})
    assert refused.errors == {"note": "Please enter at most 20 characters."}
    assert workspace.deliveries("view_submission") == []


@pytest.mark.parametrize("action", ["update", "push", "clear"])
def test_a_submission_can_update_push_or_clear(
    action: str, app: App, slack: WebClient, workspace: Workspace, mina: Person, connect: Connect
) -> None:
    @app.action("train")
    def open_modal(ack: Any, body: Json, client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=training_modal())

    @app.view("train")
    def answer(ack: Any) -> None:
        if action == "clear":
            ack(response_action="clear")
        else:
            ack(response_action=action, view=training_modal(title=plain("Sure?"), blocks=[{"type": "divider"}]))

    connect(app)
    mina.click(post_card(slack, workspace, button("Train…", "train")), "train")
    first = mina.view("Train")
    response = mina.submit(first)
    titles = {"update": ["Sure?"], "push": ["Train", "Sure?"], "clear": []}[action]
    assert [view.title for view in workspace.views("mina")] == titles
    if action == "push":
        assert response.view is not None
        assert response.view.raw["previous_view_id"] == first.id
        mina.close(response.view)
        assert [view.title for view in workspace.views("mina")] == ["Train"]


def test_a_button_in_a_modal_keeps_what_was_typed_and_pushes_another(
    app: App, slack: WebClient, workspace: Workspace, mina: Person, connect: Connect
) -> None:
    payloads: list[Json] = []

    @app.command("/tune")
    def open_modal(ack: Any, body: Json, client: WebClient) -> None:
        ack()
        modal = training_modal()
        boxes = {"type": "checkboxes", "action_id": "c", "options": options("Ready", "Failed")}
        modal["blocks"] += [
            {"type": "input", "block_id": "told", "label": plain("Tell me"), "element": boxes, "optional": True},
            {"type": "actions", "block_id": "more", "elements": [button("Explain", "explain")]},
        ]
        client.views_open(trigger_id=body["trigger_id"], view=modal)

    @app.action("explain")
    def push(ack: Any, body: Json, client: WebClient) -> None:
        payloads.append(body)
        ack()
        client.views_push(trigger_id=body["trigger_id"], view=training_modal(title=plain("Explained")))

    @app.view("train")
    def close(ack: Any, view: Json) -> None:
        payloads.append({"view": view})
        ack()

    connect(app)
    mina.command("/tune")
    first = mina.view("Train")
    assert mina.submit(first, {"Epochs": "", "Tell me": ["Ready", "failed"]}).errors
    mina.click(first, "Explain")
    click = payloads.pop()
    assert click["container"] == {"type": "view", "view_id": first.id}
    chosen = click["view"]["state"]["values"]["told"]["c"]["selected_options"]
    assert [one["value"] for one in chosen] == ["ready", "failed"]
    second = mina.view("Explained")
    assert second.raw["root_view_id"] == first.id
    assert mina.submit(second).closed
    assert mina.submit(mina.view("Train"), {"Epochs": "2"}).closed
    assert payloads[-1]["view"]["state"]["values"]["epochs"]["n"]["value"] == "2"


def test_a_button_on_the_home_acts(app: App, slack: WebClient, mina: Person, connect: Connect) -> None:
    @app.action("fix")
    def publish(ack: Any, body: Json, client: WebClient) -> None:
        ack()
        blocks = [{"type": "header", "text": plain("Fixed at home")}]
        client.views_publish(user_id=body["user"]["id"], view={"type": "home", "blocks": blocks})

    connect(app)
    slack.views_publish(user_id=mina.id, view={"type": "home", "blocks": card(button("Fix", "fix"))})
    mina.click(mina.home("1,204 rows"), "Fix")
    mina.home("Fixed at home")


def test_a_trigger_opens_one_view_within_its_time(
    app: App, slack: WebClient, workspace: Workspace, mina: Person, connect: Connect
) -> None:
    triggers: list[str] = []

    @app.action("train")
    def keep(ack: Any, body: Json) -> None:
        triggers.append(body["trigger_id"])
        ack()

    connect(app)
    mina.click(post_card(slack, workspace, button("Train…", "train")), "train")
    slack.views_open(trigger_id=triggers[0], view=training_modal())
    for trigger, refusal in ((triggers[0], "exchanged_trigger_id"), ("1.2.3", "invalid_trigger_id")):
        with pytest.raises(SlackApiError, match=refusal):
            slack.views_open(trigger_id=trigger, view=training_modal())


def test_a_view_is_updated_only_as_it_was_last_seen(
    app: App, slack: WebClient, workspace: Workspace, mina: Person, connect: Connect
) -> None:
    @app.command("/tune")
    def open_modal(ack: Any, body: Json, client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=training_modal(external_id="mine"))

    connect(app)
    mina.command("/tune")
    seen = mina.view("Train").raw
    slack.views_update(view_id=seen["id"], hash=seen["hash"], view=training_modal(title=plain("Train now")))
    with pytest.raises(SlackApiError, match="hash_conflict"):
        slack.views_update(view_id=seen["id"], hash=seen["hash"], view=training_modal())
    assert mina.view("Train now").id == seen["id"]
    with pytest.raises(SlackApiError, match="not_found"):
        slack.views_update(external_id="somebody's", view=training_modal())


def test_menus_and_boxes_send_what_was_chosen(
    app: App, slack: WebClient, workspace: Workspace, mina: Person, connect: Connect
) -> None:
    chosen: list[Json] = []

    @app.action("more")
    @app.action("model")
    def keep(ack: Any, body: Json) -> None:
        chosen.append({**body["actions"][0], "state": body["state"]["values"]})
        ack()

    connect(app)
    overflow = {"type": "overflow", "action_id": "more", "options": options("Convert", "Split")}
    select = {"type": "static_select", "action_id": "model", "options": options("Tiny", "Big")}
    report = post_card(slack, workspace, select, overflow)
    assert report.choices == ["Tiny", "Big", "Convert", "Split"]
    mina.click(report, "Split")
    mina.click(report, "model", "big")
    assert [one["selected_option"]["value"] for one in chosen] == ["split", "big"]
    assert chosen[1]["state"]["deeds"]["model"]["selected_option"]["text"] == plain("Big")


def test_a_command_is_answered_at_once_to_one_person_or_to_all(
    app: App, workspace: Workspace, mina: Person, connect: Connect
) -> None:
    @app.command("/tune")
    def answer(ack: Any, command: Json, respond: Any) -> None:
        if command["text"] == "loud":
            ack(response_type="in_channel", text="heard by all")
        else:
            ack("heard by you")
            respond("and later")

    connect(app)
    mina.command("/tune", "quiet")
    mina.ephemeral("and later")
    assert {message.text for message in workspace.ephemerals("mina")} == {"heard by you", "and later"}
    assert workspace.ephemerals("jun") == []
    mina.command("/tune", "loud")
    assert workspace.wait_for_message("#tuning", "heard by all").is_bot
    with pytest.raises(RefusedError, match="/dance is not a valid command"):
        mina.command("/dance")


@pytest.mark.parametrize("ack_timeout_s", [0.5])
def test_an_app_that_does_not_answer_is_said_to_have_failed(
    app: App, workspace: Workspace, mina: Person, connect: Connect
) -> None:
    @app.command("/tune")
    def stay_silent() -> None:
        pass

    with pytest.raises(NotAnsweredError, match="not_connected"):
        mina.command("/tune", "help")
    connect(app)
    with pytest.raises(NotAnsweredError, match="timeout"):
        mina.command("/tune", "help")
    assert "/tune failed because the app did not respond." in mina.ephemeral().text


def test_a_response_address_works_five_times_and_can_replace_and_delete(
    app: App, slack: WebClient, workspace: Workspace, mina: Person, connect: Connect
) -> None:
    addresses: list[str] = []

    @app.action("fix")
    def keep(ack: Any, body: Json) -> None:
        addresses.append(body["response_url"])
        ack()

    connect(app)
    slack.chat_postEphemeral(channel="#tuning", user=mina.id, text="rows", blocks=card(button("Fix", "fix")))
    mina.click(mina.ephemeral("1,204 rows"), "Fix")
    webhook = WebhookClient(addresses[0])
    assert webhook.send(text="Fixed.", replace_original=True).status_code == 200
    assert mina.ephemeral("Fixed.").buttons == []
    assert len(workspace.ephemerals("mina")) == 1
    assert webhook.send(text="For all", response_type="in_channel").status_code == 200
    assert workspace.wait_for_message("#tuning", "For all")
    too_long = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]
    refused = webhook.send(blocks=too_long)
    assert refused.status_code == 400
    assert "must be less than 3001 characters" in refused.body
    assert webhook.send(delete_original=True).status_code == 200
    assert workspace.wait_for(lambda w: not w.ephemerals("mina"))
    assert webhook.send(text="fifth").status_code == 200
    sixth = webhook.send(text="sixth")
    assert (sixth.status_code, json.loads(sixth.body)["error"]) == (404, "used_url")


def test_an_interaction_can_be_told_twice_and_opens_one_view(
    app: App, workspace: Workspace, mina: Person, connect: Connect
) -> None:
    outcomes: list[str] = []

    @app.command("/tune")
    def open_modal(ack: Any, body: Json, client: WebClient) -> None:
        try:
            client.views_open(trigger_id=body["trigger_id"], view=training_modal())
            outcomes.append("opened")
        except SlackApiError as refused:
            outcomes.append(refused.response["error"])
        ack()

    connect(app)
    workspace.switch(redeliver_interactions=2)
    mina.command("/tune")
    workspace.wait_for(lambda w: [d["outcome"] for d in w.deliveries("/tune")] == ["acked", "acked"])
    assert outcomes == ["opened", "exchanged_trigger_id"]
    assert len(workspace.views("mina")) == 1


def test_closing_a_modal_is_told_only_to_an_app_that_asked(
    app: App, workspace: Workspace, mina: Person, connect: Connect
) -> None:
    asked = iter([True, False])

    @app.command("/tune")
    def open_modal(ack: Any, body: Json, client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=training_modal(notify_on_close=next(asked)))

    @app.view_closed("train")
    def heard(ack: Any) -> None:
        ack()

    connect(app)
    for _ in range(2):
        mina.command("/tune")
        mina.close(mina.view("Train"))
    assert [d["outcome"] for d in workspace.deliveries("view_closed")] == ["acked"]


def test_a_message_shortcut_carries_the_message(app: App, workspace: Workspace, mina: Person, connect: Connect) -> None:
    heard: list[str] = []

    @app.message_shortcut("check_it")
    def keep(ack: Any, shortcut: Json) -> None:
        heard.append(shortcut["message"]["text"])
        ack()

    connect(app)
    mina.shortcut(mina.say("#tuning", "this one"), "check_it")
    assert heard == ["this one"]


def test_another_sites_page_cannot_act_here(url: str) -> None:
    body = json.dumps({"text": "hello", "channel": "#tuning"}).encode()
    for headers in ({"origin": "https://elsewhere.example"}, {"host": "elsewhere.example"}):
        request = urllib.request.Request(f"{url}/sandbox/messages", data=body, headers=headers)
        with pytest.raises(urllib.error.HTTPError, match="403") as refused:
            urllib.request.urlopen(request)
        refused.value.close()


def test_a_trigger_expires() -> None:
    triggers = Triggers(ttl_s=0.0)
    trigger_id = triggers.issue("U0000MINA0")
    with pytest.raises(SlackError, match="expired_trigger_id"):
        triggers.redeem(trigger_id)
