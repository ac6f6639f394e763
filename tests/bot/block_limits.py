"""Slack's published limits on messages and modals, and what is markup in them: what every view is held to."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.views.message import Message

PERSON = "UMINA"
# What the views themselves put between < and >: mentions of the people in the record, and moments.
OURS = re.compile(rf"<@{PERSON}>|<!date\^\d+\^\{{date_short_pretty\}} at \{{time\}}\|\d{{4}}-\d\d-\d\d \d\d:\d\d UTC>")
ESCAPES = re.compile(r"&(?:amp|lt|gt);")


def problems_of_message(message: Message) -> list[str]:
    """Return every limit that a message breaks, and all markup that is not the view's own."""
    found = [*_text("the text beside the blocks", message.text, 4_000), *_foreign(message.text)]
    found += _count("blocks", message.blocks, 50)
    fixed = [text for block in message.blocks for text in preformatted_texts(block)]
    length = len16(message.text) + sum(map(len16, fixed)) + sum(len16(text) for text, _ in texts(message.blocks))
    found += [f"a message of {length} characters"] if length > 13_000 else []
    return found + [problem for block in message.blocks for problem in _block(block)] + _unique(message.blocks)


def problems_of_modal(view: dict[str, Any]) -> list[str]:
    """Return every limit that a modal breaks, and all markup that is not the view's own."""
    found = _count("blocks", view["blocks"], 100) + _text("metadata", view["private_metadata"], 3_000, empty=True)
    found += _text("callback_id", view["callback_id"], 255)
    found += [problem for name in ("title", "submit", "close") if name in view for problem in _plain(view[name], 24)]
    if any(block["type"] == "input" for block in view["blocks"]) and "submit" not in view:
        found.append("inputs without a submit button")
    return found + [problem for block in view["blocks"] for problem in _block(block)] + _unique(view["blocks"])


def texts(value: Any) -> Iterator[tuple[str, str]]:
    """Yield every text in blocks with its type, "mrkdwn" or "plain_text"."""
    if isinstance(value, dict):
        if value.get("type") in {"mrkdwn", "plain_text"}:
            yield value["text"], value["type"]
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def preformatted_texts(block: dict[str, Any]) -> list[str]:
    """Return the texts of rich text, of which the views make fixed width only; of any other block none."""
    parts = block["elements"] if block["type"] == "rich_text" else []
    assert all(part["type"] == "rich_text_preformatted" for part in parts)
    return [inner["text"] for part in parts for inner in part["elements"]]


def len16(text: str) -> int:
    """Return the length in UTF-16 units; an error for lone surrogates, which cannot be sent."""
    return len(text.encode("utf-16-le")) // 2


def _block(block: dict[str, Any]) -> list[str]:
    found = _text("block_id", block.get("block_id", "-"), 255)
    found += [problem for text, kind in texts(block) if kind == "mrkdwn" for problem in _foreign(text)]
    match block["type"]:
        case "section":
            return found + _any(block["text"], 3_000)
        case "context":
            found += _count("elements", block["elements"], 10)
            return found + [problem for text in block["elements"] for problem in _any(text, 2_000)]
        case "actions":
            found += _count("elements", block["elements"], 25)
            return found + [problem for element in block["elements"] for problem in _button(element)]
        case "input":
            found += _plain(block["label"], 2_000)
            found += _plain(block["hint"], 2_000) if "hint" in block else []
            return found + _field(block["element"])
        case "divider" | "rich_text":
            # Slack publishes no limit of its own for rich text: it is held to a section's
            return found + [p for text in preformatted_texts(block) for p in _text("fixed width", text, 3_000)]
        case other:
            return [f"a block of type {other}"]


def _button(element: dict[str, Any]) -> list[str]:
    if element["type"] == "overflow":
        found = _count("options", element["options"], 5)
        said = [problem for option in element["options"] for problem in _plain(option["text"], 75)]
        return found + said + [p for option in element["options"] for p in _text("option value", option["value"], 150)]
    found = _plain(element["text"], 75) + _text("value", element["value"], 2_000)
    found += _text("action_id", element["action_id"], 255)
    if confirm := element.get("confirm"):
        limits = {"title": 100, "text": 300, "confirm": 30, "deny": 30}
        found += [problem for name, limit in limits.items() for problem in _any(confirm[name], limit)]
    return found if element.get("style", "primary") in {"primary", "danger"} else [*found, "style"]


def _field(element: dict[str, Any]) -> list[str]:
    found = _text("action_id", element["action_id"], 255)
    if element["type"] == "plain_text_input":
        return found + _text("initial_value", element.get("initial_value", "-"), 3_000)
    groups = element.get("option_groups", [])
    if groups:
        found += _count("option groups", groups, 100)
        found += [problem for group in groups for problem in _plain(group["label"], 75)]
    among: list[dict[str, Any]] = []
    for options in [group["options"] for group in groups] or [element["options"]]:
        found += _count("options", options, 100)
        among += options
    for option in among:
        found += _plain(option["text"], 75) + _text("option value", option["value"], 150)
    return found if element["initial_option"] in among else [*found, "initial_option is no option"]


def _any(text: dict[str, Any], limit: int) -> list[str]:
    if text["type"] == "plain_text":
        return _plain(text, limit)
    # without verbatim Slack finds links, #channels and names in text by itself
    return _text("mrkdwn", text["text"], limit) + ([] if text["verbatim"] is True else ["markup that is not verbatim"])


def _plain(text: dict[str, Any], limit: int) -> list[str]:
    wrong = [] if text["type"] == "plain_text" and text["emoji"] is False else ["not plain"]
    return _text("plain_text", text["text"], limit) + wrong


def _text(what: str, text: str, limit: int, *, empty: bool = False) -> list[str]:
    if not text.strip() and not empty:
        return [f"{what} is empty"]
    return [f"{what} of {len16(text)} characters, at most {limit}"] if len16(text) > limit else []


def _count(what: str, values: list[Any], limit: int) -> list[str]:
    return [] if 0 < len(values) <= limit else [f"{len(values)} {what}"]


def _unique(blocks: list[dict[str, Any]]) -> list[str]:
    ids = Counter(block["block_id"] for block in blocks if "block_id" in block)
    found = [f"block_id {name} twice" for name, count in ids.items() if count > 1]
    for block in blocks:
        actions = Counter(element.get("action_id") for element in block.get("elements", []) if "action_id" in element)
        found += [f"action_id {name} twice" for name, count in actions.items() if count > 1]
    return found


def _foreign(text: str) -> list[str]:
    rest = ESCAPES.sub("", OURS.sub("", text))
    return [f"unescaped markup in {text!r}"] if re.search(r"[<>&]", rest) else []
