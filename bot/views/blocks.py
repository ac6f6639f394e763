"""Block Kit's parts, cut to Slack's limits. Markup comes in as `Mrkdwn`, everything else as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from bot.mrkdwn import Mrkdwn, clean, clip, lines, width

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.views.message import Block

SECTION_MAX: Final = 3_000
CONTEXT_MAX: Final = 2_000
CONTEXT_ELEMENTS_MAX: Final = 10
BUTTON_MAX: Final = 75
VALUE_MAX: Final = 2_000
OPTIONS_MAX: Final = 100
OVERFLOW_MAX: Final = 5
OPTION_VALUE_MAX: Final = 150
TITLE_MAX: Final = 24
METADATA_MAX: Final = 3_000
LABEL_MAX: Final = 2_000
INPUT_MAX: Final = 3_000

Style = Literal["", "primary", "danger"]


def plain(text: str, limit: int) -> Block:
    """A plain text object of one line: nothing in it is ever read as markup."""
    return {"type": "plain_text", "text": clip(text, limit) or "-", "emoji": False}


def markup(text: Mrkdwn, limit: int = SECTION_MAX) -> Block:
    """A markup text object. `verbatim`: Slack must not find links and names in it by itself."""
    return {"type": "mrkdwn", "text": str(text.clipped(limit)) or "-", "verbatim": True}


def section(text: Mrkdwn) -> Block:
    """A paragraph."""
    return {"type": "section", "text": markup(text)}


def sections(paragraphs: Iterable[Mrkdwn]) -> list[Block]:
    """As few sections as hold all the paragraphs, one a line, none cut that fits into one."""
    packed: list[Mrkdwn] = []
    for paragraph in paragraphs:
        longer = lines(packed[-1], paragraph) if packed else paragraph
        if packed and width(str(longer)) <= SECTION_MAX:
            packed[-1] = longer
        elif paragraph:
            packed.append(paragraph)
    return [section(text) for text in packed]


def verbatim(text: str, *, at_most: int) -> list[Block]:
    """Sections of plain text, line breaks kept, that hold the first `at_most` sections' worth of `text`."""
    rest = clean(text[: at_most * SECTION_MAX * 2]).strip()
    found: list[Block] = []
    while rest and len(found) < at_most:
        size = _fitting(rest, SECTION_MAX)
        found.append({"type": "section", "text": {"type": "plain_text", "text": rest[:size], "emoji": False}})
        rest = rest[size:].lstrip()
    return found


def _fitting(text: str, limit: int) -> int:
    left = limit
    for index, character in enumerate(text):
        left -= width(character)
        if left < 0:
            return index
    return len(text)


def context(*texts: Mrkdwn) -> Block | None:
    """A line in small type; None where there is nothing to say."""
    elements = [markup(text, CONTEXT_MAX) for text in texts if text][:CONTEXT_ELEMENTS_MAX]
    return {"type": "context", "elements": elements} if elements else None


def divider() -> Block:
    """A line across."""
    return {"type": "divider"}


def actions(*buttons: Block | None) -> Block | None:
    """A row of the buttons that are there; None without any."""
    elements = [element for element in buttons if element]
    return {"type": "actions", "elements": elements} if elements else None


def button(label: str, action: str, value: str, *, style: Style = "", confirm: Block | None = None) -> Block:
    """A button; `value` comes back with the click, so it is never cut: ids only, 2,000 characters at most."""
    if width(value) > VALUE_MAX:
        raise ValueError(f"The value of the button {action} is longer than Slack returns.")
    made: Block = {"type": "button", "action_id": action, "value": value, "text": plain(label, BUTTON_MAX)}
    return made | ({"style": style} if style else {}) | ({"confirm": confirm} if confirm else {})


def overflow(action: str, options: Sequence[tuple[str, str]], value: str) -> Block | None:
    """The menu behind ⋯ of (act, label), five at most; an act and `value` come back with the choice."""
    made = [{"text": plain(label, BUTTON_MAX), "value": f"{act} {value}"} for act, label in options[:OVERFLOW_MAX]]
    return {"type": "overflow", "action_id": action, "options": made} if made else None


def confirmation(title: str, text: str, *, yes: str, no: str, style: Style = "primary") -> Block:
    """What is asked before a button's click counts."""
    made: Block = {"title": plain(title, 100), "text": plain(text, 300), "confirm": plain(yes, 30)}
    return made | {"deny": plain(no, 30)} | ({"style": style} if style else {})


def text_input(name: str, label: str, initial: str, *, hint: str = "", multiline: bool = False) -> Block:
    """A field for text, whose block and action are both called `name`; what it held is in `value`."""
    element: Block = {"type": "plain_text_input", "action_id": name, "multiline": multiline, "max_length": INPUT_MAX}
    value = clean(initial)
    if value.strip():
        element["initial_value"] = value[: _fitting(value, INPUT_MAX)]
    return _input(name, label, element, hint)


def select(name: str, label: str, options: Sequence[tuple[str, str]], initial: str, *, hint: str = "") -> Block:
    """A choice of one among (value, label); the first where `initial` is none of them."""
    made = _options(options)
    return _input(name, label, _static_select(name, made, initial) | {"options": made}, hint)


def grouped_select(name: str, label: str, groups: Mapping[str, Sequence[tuple[str, str]]], initial: str) -> Block:
    """A choice of one among (value, label) below headings; without them where there is only one."""
    if len(groups) == 1:
        return select(name, label, next(iter(groups.values())), initial)
    made = {title: _options(options) for title, options in groups.items()}
    element = _static_select(name, [option for options in made.values() for option in options], initial)
    shown: list[Block] = [{"label": plain(title, BUTTON_MAX), "options": one} for title, one in made.items() if one]
    return _input(name, label, element | {"option_groups": shown}, "")


def _options(options: Sequence[tuple[str, str]]) -> list[Block]:
    made: list[Block] = [
        {"text": plain(text, BUTTON_MAX), "value": value}
        for value, text in options
        if 0 < width(value) <= OPTION_VALUE_MAX
    ]
    return made[:OPTIONS_MAX]


def _static_select(name: str, options: Sequence[Block], initial: str) -> Block:
    chosen = next((option for option in options if option["value"] == initial), options[0])
    return {"type": "static_select", "action_id": name, "initial_option": chosen}


def live(field: Block) -> Block:
    """A field whose every change is sent to us at once: as each character is typed, or an option is chosen."""
    element: Block = field["element"]
    if element["type"] == "plain_text_input":
        element = {**element, "dispatch_action_config": {"trigger_actions_on": ["on_character_entered"]}}
    return {**field, "element": element, "dispatch_action": True}


def _input(name: str, label: str, element: Block, hint: str) -> Block:
    made: Block = {"type": "input", "block_id": name, "label": plain(label, LABEL_MAX), "element": element}
    return made | ({"hint": plain(hint, LABEL_MAX)} if hint else {})


def modal(callback: str, title: str, blocks: Iterable[Block | None], *, submit: str = "", metadata: str = "") -> Block:
    """A modal for views.open. `metadata` comes back with the submission, so it is never cut."""
    if width(metadata) > METADATA_MAX:
        raise ValueError(f"The metadata of the modal {callback} is longer than Slack returns.")
    made: Block = {
        "type": "modal",
        "callback_id": callback,
        "title": plain(title, TITLE_MAX),
        "close": plain("Close" if not submit else "Not now", TITLE_MAX),
        "private_metadata": metadata,
        "blocks": [block for block in blocks if block],
    }
    return made | ({"submit": plain(submit, TITLE_MAX)} if submit else {})
