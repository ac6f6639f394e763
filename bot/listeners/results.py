"""The buttons below a run's results and its model: the CSV, the next run to try, another checkpoint, code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot import asking, views
from bot.form_values import values_of
from bot.launch_form import launch_view
from bot.listeners.commands import offer_of
from bot.views import words
from finetune.contract import PromptContract
from finetune.errors import UserError
from finetune.next_steps import next_step_of
from finetune.permissions import Act
from jobstore.choosing import use_checkpoint
from jobstore.deliveries import Rank, Shape, post
from jobstore.records import Ref
from jobstore.states import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.desk import Desk
    from bot.intake import Press
    from bot.listeners.replies import Asker
    from jobstore.records import Record, Results

    Do = Callable[[Press, Record[Any], Asker], None]


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

    def _csv(self, _: Press, job: Record[Any], asker: Asker) -> None:
        _results(job)
        said = post(job.ref, "csv", channel=job.data.channel, rank=Rank.MILESTONE, kind=Shape.FILE)
        self._desk.outbox.put(job.ref.team, said)
        asker.tell(views.csv_coming(job))

    def _next_step(self, pressed: Press, job: Record[Any], asker: Asker) -> None:
        data, request = job.data, job.data.request
        step = next_step_of(_results(job).action, request, epochs=data.trained_epochs, rate=data.trained_rate)
        dataset = self._desk.store.get(Ref(job.ref.team, Kind.DATASET, request.dataset))
        if step is None or dataset is None:
            raise UserError(
                "dataset-gone", f"The dataset of {job.ref.id} is no longer kept.", "Drop the file here once more."
            )
        learnt = request.reinforcement
        grader = self._desk.blobs.read(job.ref.team, learnt.grader).decode() if learnt else ""
        values = values_of(request, grader) | {step.field: step.value}
        notice = f"As {job.ref.id} ({words.name(data.title)}), but: {step.label.lower()}."
        view = launch_view(offer_of(self._desk, dataset), values, folded=step.field != "lr", notice=notice)
        asker.client.views_open(trigger_id=pressed.trigger, view=view)

    def _use_checkpoint(self, pressed: Press, job: Record[Any], _: Asker) -> None:
        use_checkpoint(self._desk.store, job, pressed.person, _results(job).checkpoint)

    def _use_last_step(self, pressed: Press, job: Record[Any], _: Asker) -> None:
        use_checkpoint(self._desk.store, job, pressed.person, 0)

    def _code(self, pressed: Press, job: Record[Any], asker: Asker) -> None:
        asking.insist_on_ready(job)
        contract = PromptContract.from_json(self._desk.blobs.read(job.ref.team, job.data.contract))
        question = asking.sample_of(self._desk, job)
        view = views.code_modal(job, contract, base_url=self._desk.provider_url, question=question)
        asker.client.views_open(trigger_id=pressed.trigger, view=view)


def _results(job: Record[Any]) -> Results:
    results: Results | None = job.data.results
    if results is None:
        raise UserError("no-results", f"{job.ref.id} has no figures to show.", "Its details say why.")
    return results
