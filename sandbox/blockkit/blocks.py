"""Blocks, and which surface takes which. Limits as published at docs.slack.dev (November 2026)."""

from sandbox.blockkit.checks import (
    Check,
    anything,
    array,
    at_least_one,
    boolean,
    by_type,
    exactly_one,
    nullable,
    one_of,
    shape,
    string,
    typed,
)
from sandbox.blockkit.compositions import IMAGE_FIELDS, plain_text, text
from sandbox.blockkit.elements import CONTEXT_ACTION_ELEMENTS, IMAGE, IN_ACTIONS, IN_INPUT, IN_SECTION
from sandbox.blockkit.rich_text_rules import RICH_TEXT

BLOCK: dict[str, Check] = {"block_id": string(255, 0)}

SECTION = typed(
    {},
    {**BLOCK, "text": text(3000), "fields": array(text(2000), 10), "accessory": IN_SECTION, "expand": boolean},
    at_least_one("text", "fields"),
)
CONTEXT = typed(
    {"elements": array(by_type({"image": IMAGE, "plain_text": text(3000), "mrkdwn": text(3000)}), 10)}, BLOCK
)  # fmt: skip
INPUT = typed(
    {"label": plain_text(2000), "element": IN_INPUT},
    {**BLOCK, "hint": plain_text(2000), "optional": boolean, "dispatch_action": boolean},
)
IMAGE_BLOCK = typed(
    {"alt_text": string(2000)},
    {**BLOCK, **IMAGE_FIELDS, "title": plain_text(2000)},
    exactly_one("image_url", "slack_file"),
)
VIDEO = typed(
    {"alt_text": string(2000), "title": plain_text(200), "thumbnail_url": string(3000), "video_url": string(3000)},
    {
        **BLOCK,
        "title_url": string(3000),
        "description": plain_text(200),
        "provider_icon_url": string(3000),
        "provider_name": string(50),
        "author_name": string(50),
    },
)
CELL = by_type(
    {
        "raw_text": typed({"text": string(10_000)}),
        "raw_number": typed({"value": anything}, {"text": string(10_000)}),
        "rich_text": RICH_TEXT,
    }
)
COLUMN = shape({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})
TABLE = typed(
    {"rows": array(array(CELL, 20), 100)}, {**BLOCK, "column_settings": array(nullable(COLUMN), 20, 0)}
)  # fmt: skip
SOURCE = typed({"url": string(3000), "text": string(255)})
TASK_CARD = typed(
    {"task_id": string(255), "title": string(255)},
    {
        **BLOCK,
        "details": RICH_TEXT,
        "output": RICH_TEXT,
        "sources": array(SOURCE, 50, 0),
        "status": one_of("pending", "in_progress", "complete", "error"),
    },
)
PLAN = typed({"title": string(255)}, {**BLOCK, "tasks": array(by_type({"task_card": TASK_CARD}), 50, 0)})

EVERYWHERE: dict[str, Check] = {
    "section": SECTION,
    "header": typed({"text": plain_text(150)}, BLOCK),
    "divider": typed({}, BLOCK),
    "context": CONTEXT,
    "actions": typed({"elements": array(IN_ACTIONS, 25)}, BLOCK),
    "input": INPUT,
    "image": IMAGE_BLOCK,
    "rich_text": RICH_TEXT,
    "video": VIDEO,
}
IN_MESSAGES: dict[str, Check] = {
    **EVERYWHERE,
    "markdown": typed({"text": string(12_000)}, BLOCK),
    "file": typed({"external_id": string(255), "source": one_of("remote")}, BLOCK),
    "table": TABLE,
    "task_card": TASK_CARD,
    "plan": PLAN,
    "context_actions": typed({"elements": array(by_type(CONTEXT_ACTION_ELEMENTS), 5)}, BLOCK),
}
IN_MODALS: dict[str, Check] = {
    **EVERYWHERE,
    "alert": typed(
        {"text": text(3000)}, {**BLOCK, "level": one_of("default", "info", "warning", "error", "success")}
    ),
}  # fmt: skip

# Blocks that Slack has had for a year or two only: a workspace or a client may know nothing of them yet.
NEWER = frozenset({"markdown", "table", "task_card", "plan", "context_actions", "alert"})
