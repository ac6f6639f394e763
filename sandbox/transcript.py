"""Messages and views as a person would read them aloud: blocks to plain text."""

import re
from collections.abc import Callable
from typing import Any, cast

Json = dict[str, Any]
Names = dict[str, str] | None

_REFERENCE = re.compile(r"<([@#!]?)([^|>]+)(?:\|([^>]*))?>")
STATUS_MARKS = {"pending": "○", "in_progress": "◐", "complete": "●", "error": "✗"}


def readable(text: str, names: Names = None) -> str:
    """Turn message text into what is shown: references by name, links by label, escapes undone."""
    known = names or {}

    def shown(match: re.Match[str]) -> str:
        mark, target, label = match.groups()
        if mark == "!" and target.startswith("date^"):
            return label or target.split("^")[2]  # the reader's own zone is the page's business
        if mark == "!":
            return f"@{target}"
        if mark:
            return mark + (label or known.get(target, target))
        return label or target

    return _REFERENCE.sub(shown, text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def text_of(message: Json, names: Names = None) -> str:
    """Return what a message shows: its blocks where it has them, else its text; then its files."""
    blocks: list[Json] = message.get("blocks") or []
    lines = [block_text(block, names) for block in blocks] or [readable(message.get("text", ""), names)]
    lines += [f"[file: {file.get('name', file['id'])}]" for file in message.get("files", [])]
    return "\n".join(line for line in lines if line)


def block_text(block: Json, names: Names = None) -> str:
    """Return what one block shows."""
    show = BLOCKS.get(block["type"])
    return show(block, names) if show else f"[{block['type']}]"


def section_text(block: Json, names: Names) -> str:
    """Return what a section, a header or an alert shows, with its accessory."""
    parts = [object_text(block.get("text"), names), *(object_text(one, names) for one in block.get("fields", []))]
    return "\n".join(part for part in [*parts, element_text(block.get("accessory"), names)] if part)


def row_text(block: Json, names: Names) -> str:
    """Return what a row of elements shows."""
    return " ".join(filter(None, (element_text(element, names) for element in block["elements"])))


def input_text(block: Json, names: Names) -> str:
    """Return an input's label and what is in it at first."""
    return f"{object_text(block['label'], names)}: {element_text(block['element'], names)}"


def table_text(block: Json, names: Names) -> str:
    """Return a table, a line a row."""
    return "\n".join(" | ".join(cell_text(cell, names) for cell in row) for row in block["rows"])


def image_text(block: Json, names: Names) -> str:
    """Return an image's description."""
    del names
    return f"[image: {block['alt_text']}]"


def markdown_text(block: Json, names: Names) -> str:
    """Return a markdown block as it was written."""
    del names
    return str(block["text"])


def object_text(value: Json | None, names: Names = None) -> str:
    """Return what a text object shows; plain text is shown as it is."""
    if not value:
        return ""
    return readable(value["text"], names) if value["type"] == "mrkdwn" else str(value["text"])


def element_text(element: Json | None, names: Names = None) -> str:
    """Return what an element shows: a button in brackets, a menu with its options."""
    if not element:
        return ""
    kind: str = element["type"]
    if kind in {"plain_text", "mrkdwn"}:
        return object_text(element, names)
    if kind == "image":
        return image_text(element, names)
    if kind == "feedback_buttons":
        return " ".join(f"[{element[side]['text']['text']}]" for side in ("positive_button", "negative_button"))
    return f"[{element['text']['text']}]" if "text" in element else field_text(element)


def field_text(element: Json) -> str:
    """Return a menu with its options, or an input with what is in it at first."""
    if "options" in element:
        mark = "⋯ " if element["type"] == "overflow" else ""
        return f"<{mark}{', '.join(option['text']['text'] for option in element['options'])}>"
    return f"<{element.get('initial_value') or ''}>"


def cell_text(cell: Json, names: Names) -> str:
    """Return what a table's cell shows."""
    if cell["type"] == "rich_text":
        return rich_text(cell, names)
    return str(cell.get("text", cell.get("value", "")))


def task_text(block: Json, names: Names) -> str:
    """Return what a task card, or a plan of them, shows."""
    if block["type"] == "plan":
        return "\n".join([block["title"], *(task_text(task, names) for task in block.get("tasks", []))])
    lines = [f"{STATUS_MARKS[block.get('status', 'pending')]} {block['title']}"]
    lines += [rich_text(block[part], names) for part in ("details", "output") if part in block]
    return "\n".join(lines)


def rich_text(value: Json, names: Names) -> str:
    """Return what rich text shows, at any depth."""
    kind: str = value["type"]
    if kind == "text":
        return str(value["text"])
    if kind == "link":
        return str(value.get("text") or value["url"])
    if kind in {"user", "channel", "broadcast", "usergroup"}:
        target: str = value["range" if kind == "broadcast" else f"{kind}_id"]
        return ("#" if kind == "channel" else "@") + (names or {}).get(target, target)
    if kind == "emoji":
        return f":{value['name']}:"
    parts = [rich_text(one, names) for one in cast("list[Json]", value.get("elements", []))]
    return ("\n" if kind in {"rich_text", "rich_text_list"} else "").join(parts)


BLOCKS: dict[str, Callable[[Json, Names], str]] = {
    "section": section_text,
    "header": section_text,
    "alert": section_text,
    "context": row_text,
    "actions": row_text,
    "context_actions": row_text,
    "input": input_text,
    "table": table_text,
    "rich_text": rich_text,
    "task_card": task_text,
    "plan": task_text,
    "image": image_text,
    "markdown": markdown_text,
    "divider": lambda _block, _names: "---",
}
