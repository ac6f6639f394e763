"""New versions of a dataset: by the buttons on its report, by `/tune fix` and `/tune convert`, by two forms."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from bot import intake
from bot.grammar import parse_line
from bot.mending import checked, converting, fixing, guessed, make_version, mapping
from bot.said import FieldError
from bot.views.rows import rows_shown
from bot.views.versions import ACTS, NO_COLUMN, convert_modal, map_modal, version_asked, version_known
from finetune.errors import UserError
from finetune.excerpt import excerpt, may_be_opened, rows_worth_showing
from finetune.fixes.choice import BY_ITSELF, OF_TEXTS, SAFE
from finetune.permissions import Act

if TYPE_CHECKING:
    from collections.abc import Callable

    from slack_sdk import WebClient

    from bot.desk import Desk
    from bot.intake import Command, Press, Submission
    from bot.listeners.replies import Asker
    from bot.people import People
    from bot.views import Message
    from finetune.mending import Recipe
    from finetune.permissions import Person, Place
    from jobstore.records import Dataset, Record, Ref

    Do = Callable[[Press, Record[Any], Asker], None]
    Known = Callable[[Ref, Person, Act, Place], Record[Any]]

READ_S: Final = 1.5
"""Slack waits for three seconds; a row further down is to be looked up in the file."""

FIX_KEYS: Final = {"only": "empty-completion, or another finding that can be mended"}
CONVERT_KEYS: Final = {
    "to": "chat, turns, prompt-completion, preference or chosen-rejected",
    "system": "the system message of every row",
    "prompt": "the column with what is asked",
    "completion": "the column with the answer",
    "context": "the column with a text that belongs to the question",
}
_FIXES: Final = {"fix": SAFE, "fix_empty": BY_ITSELF, "fix_texts": tuple(OF_TEXTS)}
_MENDABLE: Final = (*SAFE, *BY_ITSELF, *OF_TEXTS)
_PARTS: Final = ("prompt", "completion", "context", "system")


class VersionButtons:
    """What the buttons and the menu of a report do; each act is asked about before it is done."""

    def __init__(self, desk: Desk, people: People) -> None:
        self._desk = desk
        self._people = people

    def acts(self) -> dict[str, tuple[Act, Do]]:
        """Return what each action does, and as which act."""
        conversions = {act: target for target, (act, _) in ACTS.items()}
        does: dict[str, Do] = {"map_columns": self._open_map, "convert_chat": self._open_convert}
        does |= {act: self._fix(codes) for act, codes in _FIXES.items()}
        does |= {act: self._convert(target) for act, target in conversions.items() if act not in does}
        return {act: (Act.MEND, do) for act, do in does.items()} | {"show_rows": (Act.SHOW, self._show_rows)}

    def _fix(self, codes: tuple[str, ...]) -> Do:
        return lambda pressed, dataset, asker: self._make(
            pressed, dataset, asker, fixing(checked(self._desk, dataset), codes)
        )

    def _convert(self, target: str) -> Do:
        return lambda pressed, dataset, asker: self._make(
            pressed, dataset, asker, converting(checked(self._desk, dataset), target)
        )

    def _open_convert(self, pressed: Press, dataset: Record[Any], asker: Asker) -> None:
        report = checked(self._desk, dataset)
        converting(report, "chat")
        view = convert_modal(dataset, report, metadata=dataset.ref.member)
        asker.client.views_open(trigger_id=pressed.trigger, view=view)

    def _open_map(self, pressed: Press, dataset: Record[Any], asker: Asker) -> None:
        report = checked(self._desk, dataset)
        view = map_modal(dataset, report.columns, guessed(report), metadata=dataset.ref.member)
        asker.client.views_open(trigger_id=pressed.trigger, view=view)

    def _show_rows(self, _: Press, dataset: Record[Any], asker: Asker) -> None:
        """Show the rows that the report names to the one who asks, for as long as reading them takes no longer."""
        report, data = checked(self._desk, dataset), dataset.data
        wanted = rows_worth_showing(report)
        until = time.monotonic() + READ_S
        opens = may_be_opened(report, data.size_bytes)
        blocks = self._desk.blobs.blocks(dataset.ref.team, data.sha256) if opens else ()
        shown = excerpt(blocks, data.filename, wanted, go_on=lambda: time.monotonic() < until)
        asker.tell(rows_shown(data.filename, shown))

    def _make(self, pressed: Press, dataset: Record[Any], asker: Asker, recipe: Recipe) -> None:
        person = self._people.person(pressed.person, pressed.team)
        ref, is_new = make_version(self._desk, dataset, person, recipe)
        if not is_new:
            asker.tell(version_known(ref.id))


class VersionCommands:
    """`/tune fix d12` and `/tune convert d12 to=chat`; `known` returns a record that a person may act on."""

    def __init__(self, desk: Desk, client: WebClient, known: Known) -> None:
        self._desk = desk
        self._client = client
        self._known = known

    def fix(self, command: Command, person: Person, place: Place) -> Message:
        """Apply the safe fixes, or the one that is named."""
        line = parse_line(command.rest, FIX_KEYS)
        dataset = self._dataset(line.object, command, person, place)
        only = line.values.get("only", "")
        if only and only not in _MENDABLE:
            raise UserError("fix-unknown", "I cannot mend that by myself.", f"only= takes {', '.join(_MENDABLE)}.")
        return self._made(dataset, person, fixing(checked(self._desk, dataset), (only,) if only else SAFE))

    def convert(self, command: Command, person: Person, place: Place) -> Message | None:
        """Convert the rows, map the columns that are named, or open the form that maps them."""
        line = parse_line(command.rest, CONVERT_KEYS)
        dataset = self._dataset(line.object, command, person, place)
        report, values = checked(self._desk, dataset), line.values
        target, system = values.get("to", ""), values.get("system", "")
        columns = {part: values[part] for part in _PARTS if part in values and part != "system"}
        if columns:
            return self._made(dataset, person, mapping(report, columns, target, system))
        if target:
            return self._made(dataset, person, converting(report, target, system))
        if report.examples:
            known = ", ".join(CONVERT_KEYS["to"].replace(" or ", ", ").split(", "))
            raise UserError("target-missing", "Say what the rows are to become.", f"to= takes {known}.")
        view = map_modal(dataset, report.columns, guessed(report), metadata=dataset.ref.member)
        self._client.views_open(trigger_id=command.trigger, view=view)
        return None

    def _dataset(self, named: str, command: Command, person: Person, place: Place) -> Record[Dataset]:
        ref, _ = intake.handle(named, command.team, kinds=("d",))
        return self._known(ref, person, Act.MEND, place)

    def _made(self, dataset: Record[Dataset], person: Person, recipe: Recipe) -> Message:
        ref, is_new = make_version(self._desk, dataset, person, recipe)
        return version_asked(dataset) if is_new else version_known(ref.id)


def submit_conversion(desk: Desk, sent: Submission, person: Person, dataset: Record[Dataset]) -> None:
    """Make the chat version that a form asks for."""
    recipe = converting(checked(desk, dataset), "chat", sent.values.get("system", ""))
    make_version(desk, dataset, person, recipe)


def submit_mapping(desk: Desk, sent: Submission, person: Person, dataset: Record[Dataset]) -> None:
    """Make the version whose columns a form has mapped."""
    report = checked(desk, dataset)
    places = {part: sent.values.get(part, NO_COLUMN) for part in _PARTS}
    columns = {part: report.columns[int(place)] for part, place in places.items() if _is_one(place, report.columns)}
    values = sent.values
    try:
        recipe = mapping(report, columns, values.get("to", ""), values.get("system_message", ""))
    except UserError as error:
        raise FieldError("completion" if columns.keys() & {"prompt", "context"} else "prompt", error) from error
    make_version(desk, dataset, person, recipe)


def _is_one(place: str, columns: tuple[str, ...]) -> bool:
    return place.isdecimal() and int(place) < len(columns)
