"""Comparing models: the buttons of an answer, of the notice and of a price, and `/tune compare m7 with=m3`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from bot import intake, views
from bot.asking import ask_base
from bot.comparing import compare_offer, confirm_comparison
from bot.grammar import parse_line
from bot.people import insist
from bot.views.jobs import DIGEST_CARRIED
from finetune.errors import UserError
from finetune.permissions import Act
from jobstore.comparisons import BASE
from jobstore.records import Ref
from jobstore.states import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.comparing import CompareOffer
    from bot.desk import Desk
    from bot.intake import Command, Press
    from bot.listeners.replies import Asker
    from bot.people import People
    from bot.views import Message
    from finetune.permissions import Person, Place
    from jobstore.jobs import Job
    from jobstore.records import Record

    Known = Callable[[Ref, Person, Act, Place], Record[Any]]
    Press_ = Callable[[Press, Record[Any], Asker], None]

KEYS: Final = {"with": "base, or another model such as m3"}
_MODEL: Final = re.compile(r"[mj]([0-9]{1,9})", re.IGNORECASE)
_BEFORE: Final = re.compile(r"(with|and|to|vs\.?|against)\s+", re.IGNORECASE)


class CompareButtons:
    """What the buttons do."""

    def __init__(self, desk: Desk, people: People, known: Known) -> None:
        self._desk, self._people, self._known = desk, people, known
        self.acts: dict[str, tuple[Act, Press_]] = {
            "compare_base": (Act.COMPARE, self._with_base),
            "compare_models": (Act.COMPARE, self._confirm),
            "ask_base": (Act.TRY, self._ask_base),
        }

    def _with_base(self, pressed: Press, job: Record[Any], asker: Asker) -> None:
        asker.tell(_answer(self._desk, self._offer(pressed, job, BASE)))

    def _confirm(self, pressed: Press, job: Record[Any], asker: Asker) -> None:
        digest, _, against = pressed.detail.partition("/")
        offer = self._offer(pressed, job, against)
        if offer.before is None and offer.request.digest()[:DIGEST_CARRIED] != digest:
            raise UserError(
                "comparison-changed",
                "What this button confirmed has changed, so I did nothing.",
                f"/tune compare m{job.ref.id.removeprefix('j')} says what it costs now.",
            )
        asker.tell(_confirmed(self._desk, offer))

    def _ask_base(self, pressed: Press, prompt: Record[Any], asker: Asker) -> None:
        job = self._desk.store.get(Ref(prompt.ref.team, Kind.JOB, prompt.data.job))
        if job is None:
            raise UserError("job-gone", "The job of this model is no longer kept.", "Try /tune list.")
        ask_base(self._desk, job, prompt, pressed.person)
        asker.tell(views.base_asked(job))

    def _offer(self, pressed: Press, job: Record[Any], against: str) -> CompareOffer:
        person, place = self._people.person(pressed.person, pressed.team), self._people.place(job.data.channel)
        return offer_of(self._desk, self._known, job, against, person, place)


def compare_command(desk: Desk, known: Known) -> Callable[[Command, Person, Place], Message]:
    """Return what answers `/tune compare m7`, `/tune compare m7 m3` and `/tune compare m7 with=m3`."""

    def answer(command: Command, person: Person, place: Place) -> Message:
        line = parse_line(command.rest, KEYS)
        ref, rest = intake.handle(line.object, command.team, kinds=("m", "j"))
        job: Record[Job] = known(ref, person, Act.COMPARE, place)
        named = line.values.get("with", "") or _BEFORE.sub("", rest, count=1) or BASE
        return _answer(desk, offer_of(desk, known, job, named, person, place))

    return answer


def offer_of(desk: Desk, known: Known, job: Record[Job], named: str, person: Person, place: Place) -> CompareOffer:
    """Return what comparing a job's model with the one that is named comes to; UserError where this person may not.

    A model of the provider's account that no job here made is compared with by whoever may see the account.
    """
    if named.lower() == BASE:
        return compare_offer(desk, job, person, BASE, None)
    match = _MODEL.fullmatch(named)
    if match is None and " " in named:
        raise UserError("one-model", "I compare with one model at a time.", "Type /tune compare m7 m3, or with=base.")
    if match is None:
        insist(desk, person, Act.ACCOUNT, place)
        return compare_offer(desk, job, person, named, None)
    old: Record[Job] = known(Ref(job.ref.team, Kind.JOB, f"j{match[1]}"), person, Act.COMPARE, place)
    if old.ref == job.ref:
        raise UserError("same-model", "That is the same model twice.", "Name another one, or with=base.")
    return compare_offer(desk, job, person, old.ref.id, old)


def _answer(desk: Desk, offer: CompareOffer) -> Message:
    """Ask for a confirmation where it costs something; begin at once where it is free."""
    if offer.before is not None:
        return views.compared_already(offer.before.data)
    if offer.request.most_usd > 0:
        return views.compare_offer_message(offer.request, offer.comparison, offer.job.ref.member)
    return _confirmed(desk, offer)


def _confirmed(desk: Desk, offer: CompareOffer) -> Message:
    if offer.before is not None:
        return views.compared_already(offer.before.data)
    _, is_new = confirm_comparison(desk, offer)
    return views.comparison_coming(offer.comparison) if is_new else views.compared_already(offer.comparison)
