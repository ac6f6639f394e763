"""Composition objects: texts, options, confirmations, files. Limits as published at docs.slack.dev (November 2026)."""

from collections.abc import Iterator
from typing import Any, cast

from sandbox.blockkit.checks import (
    Check,
    anything,
    array,
    boolean,
    by_type,
    exactly_one,
    items,
    one_of,
    problem,
    shape,
    string,
    typed,
)

Json = dict[str, Any]


def plain_text(longest: int) -> Check:
    """Check a `plain_text` object."""
    return by_type({"plain_text": typed({"text": string(longest)}, {"emoji": boolean})})


def text(longest: int) -> Check:
    """Check a `plain_text` or a `mrkdwn` object."""
    mrkdwn = typed({"text": string(longest)}, {"verbatim": boolean})
    return by_type({"plain_text": typed({"text": string(longest)}, {"emoji": boolean}), "mrkdwn": mrkdwn})


def option(option_text: Check, *, with_url: bool = False) -> Check:
    """Check an option of a menu or a group of boxes."""
    extra = {"url": string(3000)} if with_url else {}
    return shape({"text": option_text, "value": string(150)}, {"description": text(75), **extra})


def initial_among_options(value: Any, at: str) -> Iterator[str]:
    """Rule: what is chosen at first is one of the options, word for word."""
    options = [*items(value.get("options"))]
    for group in items(value.get("option_groups")):
        options += items(cast("Json", group).get("options")) if isinstance(group, dict) else []
    if "initial_option" in value and value["initial_option"] not in options:
        yield problem("initial_option must exactly match one of the options", f"{at}/initial_option")
    for index, chosen in enumerate(items(value.get("initial_options"))):
        if chosen not in options:
            yield problem("initial_options must exactly match options", f"{at}/initial_options/{index}")


CONFIRM = shape(
    {"title": plain_text(100), "text": text(300), "confirm": plain_text(30), "deny": plain_text(30)},
    {"style": one_of("primary", "danger")},
)
SLACK_FILE = shape({}, {"id": string(255), "url": string(3000)}, exactly_one("id", "url"))
DISPATCH = shape({"trigger_actions_on": array(one_of("on_enter_pressed", "on_character_entered"), 2)})
OPTION = option(plain_text(75))
BOX_OPTION = option(text(75))
OVERFLOW_OPTION = option(plain_text(75), with_url=True)
OPTION_GROUP = shape({"label": plain_text(75), "options": array(OPTION, 100)})
FILTER = shape(
    {}, {"include": anything, "exclude_external_shared_channels": boolean, "exclude_bot_users": boolean}
)  # fmt: skip
IMAGE_FIELDS: dict[str, Check] = {"image_url": string(3000), "slack_file": SLACK_FILE}
