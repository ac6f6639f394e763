"""What Slack would refuse is refused here, with the reason and where; what it takes is taken."""

import inspect
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import block_elements
from slack_sdk.models.blocks import blocks as block_models

from sandbox.blockkit.blocks import IN_MESSAGES, IN_MODALS
from sandbox.blockkit.elements import CONTEXT_ACTION_ELEMENTS, MULTI_SELECTS, SELECTS, TEXT_INPUTS
from sandbox.blockkit.surfaces import message_problems, view_problems

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def section(text: str = "hello", **more: Any) -> Json:
    return {"type": "section", "text": mrkdwn(text), **more}


def actions(*elements: Json, **more: Any) -> Json:
    return {"type": "actions", "elements": list(elements), **more}


def button(text: str = "Train", **more: Any) -> Json:
    return {"type": "button", "text": plain(text), **more}


def field(element: Json, **more: Any) -> Json:
    return {"type": "input", "label": plain("Epochs"), "element": element, **more}


def options(count: int, text: str = "x", value: str = "v") -> list[Json]:
    return [{"text": plain(f"{text}{number}"), "value": f"{value}{number}"} for number in range(count)]


def table(rows: int, columns: int, text: str = "x") -> Json:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text}] * columns for _ in range(rows)]}


def rich(text: str) -> Json:
    inline = {"type": "text", "text": text}
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [inline]}]}


def modal(*blocks: Json, **more: Any) -> Json:
    return {"type": "modal", "title": plain("Train"), "submit": plain("Go"), "blocks": list(blocks)} | more


PLAIN_INPUT: Json = {"type": "plain_text_input", "action_id": "a"}
AT_THE_LIMIT: list[Json] = [
    section("x" * 3000),
    {"type": "header", "text": plain("x" * 150)},
    {"type": "markdown", "text": "x" * 12_000},
    actions(*[button(action_id=str(number)) for number in range(25)]),
    actions(button("x" * 75, value="v" * 2000, action_id="a" * 255, style="primary")),
    section(accessory={"type": "overflow", "options": options(5)}),
    section(fields=[mrkdwn("x" * 2000)] * 2),
    actions({"type": "static_select", "options": options(100)}),
    actions({"type": "static_select", "options": options(1), "initial_option": options(1)[0]}),
    field({"type": "number_input", "is_decimal_allowed": False, "min_value": "1", "max_value": "50"}),
    {"type": "context", "elements": [mrkdwn("a")] * 10},
    {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"},
    table(100, 20, "xxxxx"),
    {"type": "plan", "title": "j42", "tasks": [{"type": "task_card", "task_id": "1", "title": "Train"}]},
    {"type": "task_card", "task_id": "1", "title": "Train", "status": "in_progress", "details": rich("step 3")},
    {"type": "divider", "block_id": "b" * 255},
]


@pytest.mark.parametrize("block", AT_THE_LIMIT, ids=lambda block: block["type"])
def test_what_stands_at_a_limit_is_taken(block: Json) -> None:
    assert message_problems([block]) == []


BEYOND: list[tuple[Json, str, str]] = [
    (section("x" * 3001), "must be less than 3001 characters", "/0/text/text"),
    (section(""), "must be more than 0 characters", "/0/text/text"),
    ({"type": "section"}, "must provide at least one of: text, fields", "/0"),
    (section(fields=[mrkdwn("x")] * 11), "no more than 10 items allowed", "/0/fields"),
    ({"type": "header", "text": plain("x" * 151)}, "must be less than 151 characters", "/0/text/text"),
    ({"type": "header", "text": mrkdwn("x")}, "unsupported type: mrkdwn", "/0/text/type"),
    ({"type": "markdown", "text": "x" * 12_001}, "must be less than 12001 characters", "/0/text"),
    (actions(), "no fewer than 1 items required", "/0/elements"),
    (actions(*[button()] * 26), "no more than 25 items allowed", "/0/elements"),
    (actions(button("x" * 76)), "must be less than 76 characters", "/0/elements/0/text/text"),
    (actions(button(value="v" * 2001)), "must be less than 2001 characters", "/0/elements/0/value"),
    (actions(button(action_id="a" * 256)), "must be less than 256 characters", "/0/elements/0/action_id"),
    (actions(button(style="loud")), "must be a valid enum value: primary, danger", "/0/elements/0/style"),
    (actions(button(colour="red")), "invalid additional property: colour", "/0/elements/0"),
    (actions(button(action_id="a"), button(action_id="a")), "action_id `a` already exists", "/0/elements"),
    (actions(PLAIN_INPUT), "unsupported type: plain_text_input", "/0/elements/0/type"),
    (actions({"type": "static_select"}), "exactly one of: options, option_groups", "/0/elements/0"),
    (actions({"type": "static_select", "options": options(101)}), "no more than 100 items", "/0/elements/0/options"),
    (actions({"type": "overflow", "options": options(6)}), "no more than 5 items", "/0/elements/0/options"),
    (
        actions({"type": "static_select", "options": options(1), "initial_option": options(2)[1]}),
        "initial_option must exactly match one of the options",
        "/0/elements/0/initial_option",
    ),
    (
        actions({"type": "static_select", "options": options(1, "x" * 75)}),
        "must be less than 76 characters",
        "/0/elements/0/options/0/text/text",
    ),
    ({"type": "context", "elements": [mrkdwn("a")] * 11}, "no more than 10 items allowed", "/0/elements"),
    ({"type": "image", "image_url": "https://example.com/a.png"}, "missing required field: alt_text", "/0"),
    ({"type": "image", "alt_text": "a"}, "exactly one of: image_url, slack_file", "/0"),
    (table(101, 2), "no more than 100 items allowed", "/0/rows"),
    (table(2, 21), "no more than 20 items allowed", "/0/rows/0"),
    (table(2, 2, ""), "must be more than 0 characters", "/0/rows/0/0/text"),
    (table(100, 20, "xxxxxx"), "a table holds at most 10000 characters", "/0/rows"),
    ({"type": "divider", "block_id": "b" * 256}, "must be less than 256 characters", "/0/block_id"),
    ({"type": "task_card", "title": "Train"}, "missing required field: task_id", "/0"),
    ({"type": "data_table", "rows": []}, "unsupported type: data_table", "/0/type"),
    ({"text": mrkdwn("x")}, "missing required field: type", "/0"),
    (field({"type": "number_input"}), "missing required field: is_decimal_allowed", "/0/element"),
    (field(button()), "unsupported type: button", "/0/element/type"),
]


@pytest.mark.parametrize(("block", "reason", "pointer"), BEYOND, ids=[reason for _, reason, _ in BEYOND])
def test_what_passes_a_limit_is_refused_with_its_reason_and_place(block: Json, reason: str, pointer: str) -> None:
    found = [problem for problem in message_problems([block]) if reason in problem]
    assert found[0].endswith(f"[json-pointer:/blocks{pointer}]")


def test_a_message_holds_fifty_blocks_one_table_and_unique_ids() -> None:
    assert message_problems([section()] * 50) == []
    assert "no more than 50 items allowed" in message_problems([section()] * 51)[0]
    assert "only_one_table_allowed" in message_problems([table(1, 1), table(1, 1)])[0]
    twice = message_problems([section(block_id="b"), section(block_id="b")])
    assert [problem.split("[json")[0] for problem in twice] == ["[ERROR] block_id `b` already exists "] * 2


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (modal(title=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/title/text]"),
        (modal(private_metadata="x" * 3001), "must be less than 3001 characters [json-pointer:/view/private_metadata]"),
        (modal(*[section()] * 101), "no more than 100 items allowed [json-pointer:/view/blocks]"),
        (modal(field(PLAIN_INPUT), submit=None), "missing required field: submit [json-pointer:/view]"),
        (modal({"type": "markdown", "text": "x"}), "unsupported type: markdown [json-pointer:/view/blocks/0/type]"),
        (modal(colour="red"), "invalid additional property: colour [json-pointer:/view]"),
        ({"type": "modal", "blocks": []}, "missing required field: title [json-pointer:/view]"),
        ({"type": "home", "blocks": []}, "must be a view of type modal [json-pointer:/view/type]"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_modal_that_slack_would_refuse_is_refused(view: Json, reason: str) -> None:
    assert any(reason in problem for problem in view_problems(view, "modal"))


def test_a_modal_at_its_limits_is_taken() -> None:
    blocks = [field({**PLAIN_INPUT, "action_id": str(number)}) for number in range(100)]
    assert view_problems(modal(*blocks, title=plain("x" * 24), private_metadata="x" * 3000), "modal") == []


def test_a_refusal_reaches_the_caller_with_its_reasons(slack: WebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        slack.chat_postMessage(channel="#tuning", text="x", blocks=[section("x" * 3001)])
    response = refused.value.response
    assert response["error"] == "invalid_blocks"
    assert response["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ]


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ({}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"blocks": [section("x" * 3000)] * 5}, "msg_blocks_too_long"),
        ({"text": "x", "metadata": {"event_type": "outbox"}}, "invalid_metadata_format"),
        ({"blocks": [{"type": "image", "alt_text": "a", "slack_file": {"id": "F1"}}]}, "invalid_blocks"),
    ],
)
def test_a_message_that_slack_would_refuse_is_refused(slack: WebClient, arguments: Json, refusal: str) -> None:
    with pytest.raises(SlackApiError, match=refusal):
        slack.api_call("chat.postMessage", json={"channel": "#tuning", **arguments})


def test_an_update_holds_four_thousand_characters(slack: WebClient) -> None:
    posted = slack.chat_postMessage(channel="#tuning", text="x")
    slack.chat_update(channel=posted["channel"], ts=posted["ts"], text="x" * 4000)
    with pytest.raises(SlackApiError, match="msg_too_long"):
        slack.chat_update(channel=posted["channel"], ts=posted["ts"], text="x" * 4001)


def fields_of(model: type) -> set[str]:
    """Return what the SDK's own model of a block or an element may be given."""
    names = set(inspect.signature(model.__init__).parameters)
    return names - {"self", "others", "type", "subtype"}


# Blocks of the SDK that this workspace does not know, and therefore refuses.
NOT_MODELLED = {"call", "card", "carousel", "container", "auth_provider", "workflow_button"}


def test_every_field_of_the_sdks_models_is_known() -> None:
    checks = {**IN_MESSAGES, **IN_MODALS, **SELECTS, **MULTI_SELECTS, **TEXT_INPUTS, **CONTEXT_ACTION_ELEMENTS}
    seen = 0
    for module in (block_models, block_elements):
        for model in vars(module).values():
            kind = getattr(model, "type", None) if inspect.isclass(model) else None
            if not isinstance(kind, str) or kind not in checks or kind in NOT_MODELLED | {"image"}:
                continue
            problems = list(checks[kind](dict.fromkeys(fields_of(model)) | {"type": kind}, ""))
            assert not [problem for problem in problems if "additional property" in problem], kind
            seen += 1
    assert seen > 25


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "text", "elements", "rows", "options", "element", "fields"]), inner)
    ),
    max_leaves=12,
)
TYPED = st.dictionaries(st.sampled_from(["text", "elements", "rows", "element", "accessory", "tasks"]), JSON).flatmap(
    lambda fields: st.sampled_from(sorted(IN_MESSAGES)).map(lambda kind: {**fields, "type": kind})
)


@settings(max_examples=200, deadline=None)
@given(st.lists(JSON | TYPED, max_size=3))
def test_any_json_is_judged_and_never_a_crash(blocks: list[Any]) -> None:
    assert all(problem.startswith("[ERROR]") for problem in message_problems(blocks))


@settings(max_examples=200, deadline=None)
@given(st.lists(JSON | TYPED, max_size=2), st.dictionaries(st.sampled_from(["title", "submit", "close"]), JSON))
def test_any_view_is_judged_and_never_a_crash(blocks: list[Any], more: Json) -> None:
    assert all(problem.startswith("[ERROR]") for problem in view_problems(modal(*blocks, **more), "modal"))
