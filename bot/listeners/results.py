"""The buttons below a run's results and its model: the CSV, the next run to try, another checkpoint, code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot import asking, intake, views
from bot.listeners.job_acts import reproduction
from bot.rendering import epochs_max, scores_of_job
from finetune.contract import PromptContract
from finetune.errors import UserError
from finetune.permissions import Act
from jobstore.choosing import use_checkpoint
from jobstore.deliveries import Rank, Shape, post

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.desk import Desk
    from bot.intake import Command, Press
    from bot.listeners.replies import Asker
    from bot.views import Message
    from finetune.permissions import Person, Place
    from jobstore.jobs import Results
    from jobstore.records import Record, Ref

    Do = Callable[[Press, Record[Any], Asker], None]
    Known = Callable[[Ref, Person, Act, Place], Record[Any]]


class ResultButtons:
    """What each of them does, once it is known that this person may."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.acts: dict[str, tuple[Act, Do]] = {
            "csv": (Act.SHOW, self._csv),
            "next_step": (Act.TRAIN, self._next_step),
            "use_checkpoint": (Act.RESOLVE, self._use_checkpoint),
            "use_last_step": (Act.RESOLVE, self._use_last_step),
            "code": (Act.TRY, self._code),
        }

    def command(self, known: Known) -> Callable[[Command, Person, Place], Message]:
        """Return what `/tune results j42` does: the same as stands in the thread, for whoever asks."""

        def results(command: Command, person: Person, place: Place) -> Message:
            ref, _ = intake.handle(command.rest, command.team, kinds=("j", "m"))
            job = known(ref, person, Act.SHOW, place)
            _results(job)
            return views.results_message(job, scores_of_job(self._desk, job), epochs_max(self._desk, job.data))

        return results

    def _csv(self, _: Press, job: Record[Any], asker: Asker) -> None:
        _results(job)
        said = post(job.ref, "csv", channel=job.data.channel, rank=Rank.MILESTONE, kind=Shape.FILE)
        self._desk.outbox.put(job.ref.team, said)
        asker.tell(views.csv_coming(job))

    def _next_step(self, pressed: Press, job: Record[Any], asker: Asker) -> None:
        step = views.next_step(job.data, _results(job), epochs_max(self._desk, job.data))
        asker.client.views_open(trigger_id=pressed.trigger, view=reproduction(self._desk, job, step))

    def _use_checkpoint(self, pressed: Press, job: Record[Any], _: Asker) -> None:
        asking.insist_on_ready(job)
        use_checkpoint(self._desk.store, job, pressed.person, _results(job).checkpoint)

    def _use_last_step(self, pressed: Press, job: Record[Any], _: Asker) -> None:
        asking.insist_on_ready(job)
        use_checkpoint(self._desk.store, job, pressed.person, 0)

    def _code(self, pressed: Press, job: Record[Any], asker: Asker) -> None:
        asking.insist_on_ready(job)
        contract = PromptContract.from_json(self._desk.blobs.read(job.ref.team, job.data.contract))
        question = asking.sample_of(self._desk, job)
        address = self._desk.providers.get(job.data.request.provider) or next(iter(self._desk.providers.values()))
        view = views.code_modal(job, contract, base_url=address, question=question)
        asker.client.views_open(trigger_id=pressed.trigger, view=view)


def _results(job: Record[Any]) -> Results:
    results: Results | None = job.data.results
    if results is None:
        raise UserError(
            "no-results", f"{job.ref.id} has no figures to show.", f"/tune show {job.ref.id} says how far it is."
        )
    return results
