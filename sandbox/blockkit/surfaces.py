"""Whole surfaces: what a message, a modal and a Home may hold together."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

from sandbox.blockkit.blocks import EVERYWHERE, IN_MESSAGES, IN_MODALS
from sandbox.blockkit.checks import Check, anything, array, boolean, by_type, nullable, problem, shape, string
from sandbox.blockkit.compositions import plain_text
from sandbox.clock import new_id
from sandbox.refusals import SlackError

Json = dict[str, Any]

MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
MESSAGE_CHARACTERS, TABLE_CHARACTERS = 13_000, 10_000

VIEW_FIELDS: dict[str, Check] = {
    "private_metadata": string(3000, 0),
    "callback_id": string(255, 0),
    "external_id": string(255, 0),
}
SHELLS: dict[str, Check] = {
    "modal": shape(
        {"type": anything, "title": plain_text(24), "blocks": array(by_type(IN_MODALS), VIEW_BLOCKS, 0)},
        {
            **VIEW_FIELDS,
            "close": nullable(plain_text(24)),
            "submit": nullable(plain_text(24)),
            "clear_on_close": boolean,
            "notify_on_close": boolean,
            "submit_disabled": boolean,
        },
    ),
    "home": shape({"type": anything, "blocks": array(by_type(EVERYWHERE), VIEW_BLOCKS, 0)}, VIEW_FIELDS),
}


def message_problems(blocks: Any) -> list[str]:
    """Return what Slack would refuse in a message's blocks."""
    found = list(array(by_type(IN_MESSAGES), MESSAGE_BLOCKS, 0)(blocks, "/blocks"))
    return found or [*id_problems(blocks, "/blocks"), *table_problems(blocks)]


def view_problems(view: Any, kind: str) -> list[str]:
    """Return what Slack would refuse in a view; `kind` is what the method takes, `modal` or `home`."""
    if not isinstance(view, dict) or cast("Json", view).get("type") != kind:
        return [problem(f"must be a view of type {kind}", "/view/type")]
    body = cast("Json", view)
    found = list(SHELLS[kind](body, "/view"))
    if found:
        return found
    blocks: list[Json] = body["blocks"]
    found = id_problems(blocks, "/view/blocks")
    if kind == "modal" and not body.get("submit") and any(block["type"] == "input" for block in blocks):
        found.append(problem("missing required field: submit", "/view"))
    focused = [e for block in blocks for e in elements_of(block) if e.get("focus_on_load")]
    if len(focused) > 1:
        found.append(problem("only one element may set focus_on_load", "/view/blocks"))
    return found


def checked_blocks(blocks: Any) -> list[Json]:
    """Return a message's blocks with ids filled in; raises `invalid_blocks` with the reasons."""
    if problems := message_problems(blocks):
        raise SlackError("invalid_blocks", *problems)
    if sum(map(text_length, blocks)) > MESSAGE_CHARACTERS:
        reason = problem(f"a message holds at most {MESSAGE_CHARACTERS} characters", "/blocks")
        raise SlackError("msg_blocks_too_long", reason)
    return with_block_ids(blocks)


def with_block_ids(blocks: list[Json]) -> list[Json]:
    """Give every block and every interactive element the id it lacks, as Slack does."""
    return [_with_ids(block) for block in blocks]


def id_problems(blocks: list[Json], at: str) -> list[str]:
    """Return block ids used twice, and action ids used twice in one block."""
    found: list[str] = []
    counts = Counter(block.get("block_id") for block in blocks if block.get("block_id"))
    for index, block in enumerate(blocks):
        if counts.get(block.get("block_id"), 0) > 1:
            found.append(problem(f"block_id `{block['block_id']}` already exists", f"{at}/{index}/block_id"))
        actions = Counter(e["action_id"] for e in elements_of(block) if e.get("action_id"))
        twice = (action_id for action_id, count in actions.items() if count > 1)
        found += [
            problem(f"action_id `{one}` already exists for this block", f"{at}/{index}/elements") for one in twice
        ]
    return found


def table_problems(blocks: list[Json]) -> list[str]:
    """Return what is wrong with a message's tables: more than one, or too many characters."""
    tables = [(index, block) for index, block in enumerate(blocks) if block["type"] == "table"]
    found = [problem("only_one_table_allowed", f"/blocks/{index}") for index, _ in tables[1:]]
    for index, table in tables:
        if text_length(table) > TABLE_CHARACTERS:
            found.append(problem(f"a table holds at most {TABLE_CHARACTERS} characters", f"/blocks/{index}/rows"))
    return found


def elements_of(block: Json) -> Iterator[Json]:
    """Yield a block's elements, its accessory and its input element."""
    for one in [*block.get("elements", []), block.get("accessory"), block.get("element")]:
        if isinstance(one, dict):
            yield cast("Json", one)


def text_length(value: Any) -> int:
    """Count the characters that a reader sees in a block: every `text` at any depth."""
    if isinstance(value, list):
        return sum(map(text_length, cast("list[Any]", value)))
    if not isinstance(value, dict):
        return 0
    fields = cast("Json", value)
    return sum(
        len(one) if name == "text" and isinstance(one, str) else text_length(one) for name, one in fields.items()
    )


def _with_ids(block: Json) -> Json:
    filled = {**block, "block_id": block.get("block_id") or new_id("b")}
    if block["type"] in {"actions", "context_actions"}:
        filled["elements"] = [_with_action_id(element) for element in block["elements"]]
    for place in ("accessory", "element"):
        if place in block and block[place]["type"] != "image":
            filled[place] = _with_action_id(block[place])
    return filled


def _with_action_id(element: Json) -> Json:
    return {**element, "action_id": element.get("action_id") or new_id("a")}
