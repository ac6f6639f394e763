"""Hosting a model: the buttons that confirm it, refuse it and end it, and `/tune deploy`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot import intake, views
from bot.grammar import parse_line
from bot.hosting import confirm_hosting, host_offer, is_hosted_service, needs_waking
from bot.views import words
from finetune.errors import UserError
from finetune.hosting import parse_hours
from finetune.permissions import Act, Person
from jobstore.hosting import keep_asleep, put_to_sleep

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.desk import Desk
    from bot.intake import Command, Press
    from bot.listeners.replies import Asker
    from bot.views import Message
    from finetune.permissions import Place
    from jobstore.jobs import Job
    from jobstore.records import Record, Ref

    Known = Callable[[Ref, Person, Act, Place], Record[Any]]
    Press_ = Callable[[Press, Record[Any], Asker], None]

KEYS: Final = {"hours": "for how many hours, 1 to 24"}


def waking(desk: Desk, job: Record[Job]) -> Message | None:
    """Return the offer to wake a model that somebody wants to ask; None where it needs none."""
    return views.wake_offer(job, host_offer(desk, job)) if needs_waking(job) else None


class HostingButtons:
    """What the buttons do."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.acts: dict[str, tuple[Act, Press_]] = {
            "host_model": (Act.HOST, self._host),
            "keep_asleep": (Act.SLEEP, self._keep_asleep),
            "stop_hosting": (Act.SLEEP, self._stop),
        }

    def _host(self, pressed: Press, job: Record[Any], asker: Asker) -> None:
        hours, _, digest = pressed.detail.partition("/")
        person = Person(id=pressed.person, team=pressed.team)
        hosted = confirm_hosting(self._desk, job, person, hours=parse_hours(hours), digest=digest)
        asker.tell(views.hosting_coming(hosted))

    def _keep_asleep(self, pressed: Press, job: Record[Any], asker: Asker) -> None:
        asker.tell(views.kept_asleep(keep_asleep(self._desk.store, job, pressed.person)))

    def _stop(self, pressed: Press, job: Record[Any], asker: Asker) -> None:
        stopping = put_to_sleep(self._desk.store, job, pressed.person)
        self._desk.doorbell.ring(stopping.ref)
        asker.tell(views.sleep_coming(stopping))


def deploy_command(desk: Desk, known: Known) -> Callable[[Command, Person, Place], Message]:
    """Return what answers `/tune deploy m7 hours=2`: the price, with the button that confirms it."""

    def answer(command: Command, person: Person, place: Place) -> Message:
        line = parse_line(command.rest, KEYS)
        hours = parse_hours(line.values.get("hours", ""))
        ref, _ = intake.handle(line.object, command.team, kinds=("m", "j"))
        job: Record[Job] = known(ref, person, Act.HOST, place)
        if needs_waking(job):
            return views.wake_offer(job, host_offer(desk, job, hours))
        raise _refusal(desk, job)

    return answer


def _refusal(desk: Desk, job: Record[Job]) -> UserError:
    model = words.model_handle(job.ref.id)
    if not job.data.model:
        return UserError("no-model", f"{job.ref.id} has no model that could be hosted.", "Try /tune list models.")
    if not is_hosted_service(desk, job):
        return UserError("answers-by-itself", f"{model} needs no host: it answers by itself.", f"/tune try {model}")
    if job.data.open_stay is not None:
        return UserError("hosted-already", f"{model} is hosted, or about to be.", "Its card says how it stands.")
    return UserError("no-model", f"{job.ref.id} has no model that could be hosted.", "Try /tune list.")
