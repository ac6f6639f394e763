"""What is done with a job or its model besides starting, trying and cancelling: the same again, rest, deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot import intake, views
from bot.asking import insist_on_ready
from bot.form_values import first_values, of_another_model, values_of
from bot.launch_form import launch_view
from bot.lineage import lineage_of
from bot.offer import Offer
from bot.rendering import report_of
from bot.views import words
from bot.views.launching import FOLDED
from finetune.errors import UserError
from finetune.permissions import Act
from jobstore.blobs import BlobMissingError
from jobstore.deleting import insist_on_model
from jobstore.records import Ref
from jobstore.states import TRAINED, Kind
from jobstore.steering import steer

if TYPE_CHECKING:
    from collections.abc import Callable

    from slack_sdk import WebClient

    from bot.desk import Desk
    from bot.intake import Command, Press
    from bot.listeners.replies import Asker
    from bot.views import Message
    from finetune.next_steps import NextStep
    from finetune.permissions import Person, Place
    from jobstore.jobs import Job
    from jobstore.records import Record
    from jobstore.steering import Wish

    Known = Callable[[Ref, Person, Act, Place], Record[Any]]
    Press_ = Callable[[Press, Record[Any], Asker], None]
    Answer = Callable[[Command, Person, Place], Message | None]


def reproduction(desk: Desk, job: Record[Job], change: NextStep | None = None) -> Any:
    """Return the launch form with everything as it was, or one value changed; UserError where rows are gone."""
    request, ref = job.data.request, job.ref
    dataset = desk.store.get(Ref(ref.team, Kind.DATASET, request.dataset))
    report = report_of(desk, dataset) if dataset else None
    if dataset is None or report is None or dataset.state != "accepted":
        raise UserError("dataset-gone", f"The dataset of {ref.id} is no longer kept.", "Drop the file here once more.")
    try:
        grader = desk.blobs.read(ref.team, request.reinforcement.grader).decode() if request.reinforcement else ""
    except BlobMissingError as error:
        raise UserError("grader-gone", f"The grader of {ref.id} is no longer kept.", "Train anew.") from error
    but = f", but: {change.label[:1].lower()}{change.label[1:]}" if change else ""
    notice = f"The same as {ref.id} ({words.name(job.data.title)}){but}. It is a new run, and costs what is shown."
    offer = Offer(desk, dataset, report)
    values = values_of(request, grader, offer.labels) | ({change.field: change.value} if change else {})
    if change and change.field == "model":  # what the old price allowed says nothing of another one
        values = of_another_model(offer, values) | {"cap": ""}
    folded = change is None or change.field not in FOLDED
    return launch_view(offer, values, folded=folded, notice=notice)


def continuation(desk: Desk, job: Record[Job]) -> Offer:
    """Return the channel's newest dataset that a model can be trained on further; UserError where there is none."""
    if job.state not in TRAINED:
        insist_on_ready(job)
    for dataset in desk.store.listed(job.ref.team, Kind.DATASET, job.data.channel):
        report = report_of(desk, dataset) if dataset.state == "accepted" else None
        model = desk.catalogue.get(job.data.request.model)
        if report is not None and report.format is not None and model is not None and model.takes(report.format):
            return Offer(desk, dataset, report)
    raise UserError("no-dataset", "There is no checked dataset in this channel to go on with.", "Drop one here.")


class JobCommands:
    """`/tune reproduce`, `pause`, `resume` and `delete`; and `show m7`, which tells a model's lineage."""

    def __init__(self, desk: Desk, client: WebClient, known: Known) -> None:
        self._desk = desk
        self._client = client
        self._known = known
        self.verbs: dict[str, Answer] = {
            "reproduce": self._reproduce,
            "pause": lambda command, person, place: self._steer("pause", command, person, place),
            "resume": lambda command, person, place: self._steer("resume", command, person, place),
            "delete": self._delete,
        }

    def lineage(self, job: Record[Job]) -> Message:
        """Return where a model comes from."""
        return views.lineage_message(lineage_of(self._desk, job), self._desk.store.now_ms())

    def _reproduce(self, command: Command, person: Person, place: Place) -> None:
        ref, _ = intake.handle(command.rest, command.team, kinds=("m", "j"))
        job = self._known(ref, person, Act.TRAIN, place)
        self._client.views_open(trigger_id=command.trigger, view=reproduction(self._desk, job))

    def _steer(self, wish: Wish, command: Command, person: Person, place: Place) -> Message:
        ref, _ = intake.handle(command.rest, command.team, kinds=("j",))
        job = self._known(ref, person, Act.STEER, place)
        insist_on_pauses(self._desk, job)
        return views.steered(steer(self._desk.store, job, person.id, wish), wish)

    def _delete(self, command: Command, person: Person, place: Place) -> None:
        ref, _ = intake.handle(command.rest, command.team, kinds=("m",))
        job = self._known(ref, person, Act.DELETE, place)
        insist_on_model(job)
        self._client.views_open(trigger_id=command.trigger, view=views.delete_modal(job, metadata=job.ref.member))


class JobButtons:
    """The same, by button."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.acts: dict[str, tuple[Act, Press_]] = {
            "reproduce": (Act.TRAIN, self._reproduce),
            "pause_job": (Act.STEER, lambda pressed, job, asker: self._steer("pause", pressed, job, asker)),
            "resume_job": (Act.STEER, lambda pressed, job, asker: self._steer("resume", pressed, job, asker)),
            "delete_model": (Act.DELETE, self._delete),
            "lineage": (Act.SHOW, self._lineage),
            "continue_training": (Act.TRAIN, self._continue),
        }

    def _reproduce(self, pressed: Press, job: Record[Any], asker: Asker) -> None:
        asker.client.views_open(trigger_id=pressed.trigger, view=reproduction(self._desk, job))

    def _steer(self, wish: Wish, pressed: Press, job: Record[Any], asker: Asker) -> None:
        insist_on_pauses(self._desk, job)
        asker.tell(views.steered(steer(self._desk.store, job, pressed.person, wish), wish))

    def _delete(self, pressed: Press, job: Record[Any], asker: Asker) -> None:
        insist_on_model(job)
        asker.client.views_open(trigger_id=pressed.trigger, view=views.delete_modal(job, metadata=job.ref.member))

    def _continue(self, pressed: Press, job: Record[Any], asker: Asker) -> None:
        offer = continuation(self._desk, job)
        model = words.model_handle(job.ref.id)
        values = first_values(offer, model=model) | {"model": model}
        asker.client.views_open(trigger_id=pressed.trigger, view=launch_view(offer, values))

    def _lineage(self, _: Press, job: Record[Any], asker: Asker) -> None:
        asker.tell(views.lineage_message(lineage_of(self._desk, job), self._desk.store.now_ms()))


def insist_on_pauses(desk: Desk, job: Record[Job]) -> None:
    """Raise the UserError that says that a job's provider cannot pause runs."""
    provider = job.data.request.provider
    if not desk.catalogue.service(provider).pauses:
        raise UserError("pause-unsupported", f"{words.name(provider)} cannot pause a run.", "Cancel stops it for good.")
