"""The rich text that a person's client sends beside the text it typed."""

import re
from typing import Any

Json = dict[str, Any]

_REFERENCE = re.compile(r"<([@#!])([\w]+)(?:\|[^>]*)?>")
_KINDS = {"@": ("user", "user_id"), "#": ("channel", "channel_id"), "!": ("broadcast", "range")}


def rich_text_of(text: str) -> Json:
    """Split message text into one section of text, user, channel and broadcast elements."""
    elements: list[Json] = []
    position = 0
    for match in _REFERENCE.finditer(text):
        _add_text(elements, text[position : match.start()])
        kind, field = _KINDS[match.group(1)]
        elements.append({"type": kind, field: match.group(2)})
        position = match.end()
    _add_text(elements, text[position:])
    return {"type": "rich_text_section", "elements": elements}


def _add_text(elements: list[Json], text: str) -> None:
    if text:
        plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        elements.append({"type": "text", "text": plain})
