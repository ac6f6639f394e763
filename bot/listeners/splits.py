"""Splitting a dataset: by the menu of its report, and by `/tune split d12 valid=10 test=10 seed=7`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot import intake
from bot.grammar import parse_line
from bot.splitting import DIVISION_KEYS, split_dataset
from bot.views.parts import split_asked
from finetune.permissions import Act

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.desk import Desk
    from bot.intake import Command, Press
    from bot.listeners.replies import Asker
    from bot.people import People
    from bot.views import Message
    from finetune.permissions import Person, Place
    from jobstore.records import Record, Ref

    Known = Callable[[Ref, Person, Act, Place], Record[Any]]


class Splits:
    """What asks for a split; `people` say who presses, `known` returns a record that a person may act on."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def press(self, people: People) -> Callable[[Press, Record[Any], Asker], None]:
        """Return what the menu's entry does."""

        def split(pressed: Press, dataset: Record[Any], asker: Asker) -> None:
            person = people.person(pressed.person, pressed.team)
            handles, is_new = split_dataset(self._desk, dataset, person, {})
            asker.tell(split_asked(dataset, handles, is_new=is_new))

        return split

    def command(self, known: Known) -> Callable[[Command, Person, Place], Message]:
        """Return what the command does."""

        def split(command: Command, person: Person, place: Place) -> Message:
            line = parse_line(command.rest, DIVISION_KEYS)
            ref, _ = intake.handle(line.object, command.team, kinds=("d",))
            dataset = known(ref, person, Act.MEND, place)
            handles, is_new = split_dataset(self._desk, dataset, person, line.values)
            return split_asked(dataset, handles, is_new=is_new)

        return split
