"""`/tune VERB …`: GitHub's Slack app is the model for help and near misses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot import asking, intake, views
from bot.confirming import confirm
from bot.form_values import first_values, of_line
from bot.grammar import parse_line
from bot.hosting import host_price
from bot.launch_form import launch_view
from bot.launching import held_micros, launch_of
from bot.listeners.comparing import compare_command
from bot.listeners.hosting import deploy_command, waking
from bot.listeners.job_acts import JobCommands
from bot.listeners.models import LISTED, list_models, quote
from bot.listeners.replies import OUT_OF_REACH, logged
from bot.listeners.results import ResultButtons
from bot.listeners.splits import Splits
from bot.listeners.versions import VersionCommands
from bot.offer import Offer
from bot.people import insist
from bot.rendering import difference_of, labels, report_of
from bot.samples import drop_sample, insist_on_membership
from finetune.errors import UserError
from finetune.guidance import parse_task
from finetune.permissions import Act
from finetune.templates.shelf import find_sample
from jobstore.connections import UNAVAILABLE
from jobstore.states import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from slack_bolt import Ack, App
    from slack_sdk import WebClient

    from bot.desk import Desk
    from bot.intake import Command
    from bot.people import People
    from bot.views import Message
    from finetune.permissions import Person, Place
    from jobstore.records import Dataset, Record, Ref

MINE: Final = frozenset({"mine", "my", "my jobs"})
LISTS: Final = "/tune list, /tune list mine, /tune list models and /tune list templates"
LOOKED_AT: Final = 100
"""So many of a channel's newest jobs and datasets are looked at for those of one person."""
ALIASES: Final = {
    "test": "try",
    "status": "show",
    "events": "show",
    "checkpoints": "show",
    "migrate": "quote",
    "": "train",
}


def register(app: App, desk: Desk, people: People) -> None:
    """Answer `/tune`."""

    def on_command(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        answer = Commands(desk, people, client).answer(body)
        if answer is None:
            ack()
        else:
            ack(response_type="ephemeral", text=answer.text, blocks=answer.blocks)

    app.command("/tune")(on_command)


class Commands:
    """One command: who asks, and what is answered."""

    def __init__(self, desk: Desk, people: People, client: WebClient) -> None:
        self._desk = desk
        self._people = people
        self._client = client
        versions = VersionCommands(desk, client, self._known)
        self._jobs = JobCommands(desk, client, self._known)
        self._verbs: dict[str, Callable[[Command, Person, Place], Message | None]] = {
            "help": self._help,
            "list": self._list,
            "templates": self._templates,
            "show": self._show,
            "check": self._check,
            "fix": versions.fix,
            "convert": versions.convert,
            "split": Splits(desk).command(self._known),
            "results": ResultButtons(desk).command(self._known),
            "quote": quote(desk, self._known),
            "deploy": deploy_command(desk, self._known),
            "compare": compare_command(desk, self._known),
            "cancel": self._cancel,
            "try": self._try,
            "train": self._train,
            **self._jobs.verbs,
        }

    def answer(self, body: dict[str, Any]) -> Message | None:
        """Return the ephemeral answer, None where a modal opened in its place."""
        try:
            command = intake.command(body)
            verb = ALIASES.get(command.verb, command.verb)
            if verb not in self._verbs:
                return views.near_miss(command.verb)
            person = self._people.person(command.person, command.team)
            return self._verbs[verb](command, person, self._people.place(command.channel))
        except UserError as error:
            return views.refusal(error)
        except UNAVAILABLE:
            return views.refusal(OUT_OF_REACH)
        except Exception:  # noqa: BLE001 - whatever it was, the person gets an answer and the log the reason
            return views.something_failed(logged())

    def _help(self, _: Command, person: Person, place: Place) -> Message:
        insist(self._desk, person, Act.LIST, place)
        return views.help_message()

    def _list(self, command: Command, person: Person, place: Place) -> Message:
        insist(self._desk, person, Act.LIST, place)
        if command.rest.lower() in {"templates", "template"}:
            return views.templates_list()
        if command.rest.lower() in LISTED:
            return list_models(self._desk, command, person, place)
        asked = command.rest.lower()
        if asked not in MINE | {""}:
            raise UserError("list-unknown", "I don't know that list.", f"There are {LISTS}.")
        store, whose, most = self._desk.store, {person.id} if asked else None, LOOKED_AT if asked else views.LISTED
        listed = [store.listed(command.team, kind, command.channel, most) for kind in (Kind.JOB, Kind.DATASET)]
        jobs, datasets = ([one for one in found if not whose or one.data.person in whose] for found in listed)
        return views.jobs_list(jobs, datasets)

    def _templates(self, command: Command, person: Person, place: Place) -> Message:
        if not command.rest:
            insist(self._desk, person, Act.LIST, place)
            return views.templates_list()
        template, sample = find_sample(command.rest)
        insist(self._desk, person, Act.CHECK, place)
        insist_on_membership(self._client, command.channel)
        where = {"team": command.team, "channel": command.channel, "person": person.id}
        drop_sample(self._desk, sample, **where, once=f"command:{command.trigger}")
        return views.dropped(template, sample)

    def _show(self, command: Command, person: Person, place: Place) -> Message:
        ref, rest = intake.handle(command.rest, command.team)
        record = self._known(ref, person, Act.SHOW, place)
        if ref.kind is Kind.DATASET:
            named = intake.value_of(rest, "task")
            task, report = parse_task(named) if named else None, report_of(self._desk, record)
            difference = difference_of(self._desk, record)
            return views.dataset_card(record, report, model_labels=labels(self._desk), task=task, difference=difference)
        if command.rest[:1].lower() == "m":
            return self._jobs.lineage(record)
        return views.job_details(record, self._desk.store.events(ref), self._desk.store.now_ms())

    def _check(self, command: Command, person: Person, place: Place) -> Message:
        """A dataset is checked when it is dropped: show what came of it, or say where to drop one."""
        return self._show(command, person, place) if command.rest else views.near_miss("check")

    def _cancel(self, command: Command, person: Person, place: Place) -> Message:
        ref, _ = intake.handle(command.rest, command.team, kinds=("j",))
        record = self._known(ref, person, Act.CANCEL, place)
        return views.cancel_outcome(record, self._desk.store.flag_cancel(ref, person.id, channel=record.data.channel))

    def _try(self, command: Command, person: Person, place: Place) -> Message | None:
        ref, prompt = intake.handle(command.rest, command.team, kinds=("m", "j"))
        job = self._known(ref, person, Act.TRY, place)
        if offer := waking(self._desk, job):
            return offer
        if not prompt:
            asking.insist_on_ready(job)
            asking.open_form(self._desk, self._client, job, command.trigger)
            return None
        asking.ask(self._desk, job, person, prompt, once=f"command:{command.trigger}")
        return views.asked(job)

    def _train(self, command: Command, person: Person, place: Place) -> Message | None:
        """Start what a line says where it is free; otherwise, and without a line, show the form with the price."""
        insist(self._desk, person, Act.TRAIN, place)
        line = parse_line(command.rest)
        offer = offer_of(self._desk, self._dataset(command, line.object, person, place))
        values = first_values(
            offer, provider=line.values.get("provider", ""), model=line.values.get("model", "")
        ) | of_line(line.values)
        if line.values:
            launch = launch_of(offer, values)
            if held_micros(launch) <= 0:
                request, once = launch.request, f"command:{command.trigger}"
                hosting = host_price(self._desk, request.provider, request.model)
                return views.started(confirm(offer, launch, person, once=once).id, request, hosting)
        self._client.views_open(trigger_id=command.trigger, view=launch_view(offer, values))
        return None

    def _dataset(self, command: Command, named: str, person: Person, place: Place) -> Record[Dataset]:
        """The dataset that is named, or the newest of the channel that may be trained on."""
        if named:
            ref, _ = intake.handle(named, command.team, kinds=("d",))
            return self._known(ref, person, Act.TRAIN, place)
        for record in self._desk.store.listed(command.team, Kind.DATASET, command.channel):
            if record.state == "accepted":
                return record
        raise UserError("no-dataset", "There is no checked dataset in this channel.", "Drop a dataset here.")

    def _known(self, ref: Ref, person: Person, act: Act, place: Place) -> Record[Any]:
        return known(self._desk, ref, person, act, place)


def offer_of(desk: Desk, dataset: Record[Dataset]) -> Offer:
    """Return what an accepted dataset can be trained on; UserError where it is not accepted."""
    report = report_of(desk, dataset)
    if report is None or dataset.state != "accepted":
        raise UserError(
            "not-accepted", f"{dataset.ref.id} cannot be trained on as it is.", "Its report says what to mend."
        )
    return Offer(desk, dataset, report)


def known(desk: Desk, ref: Ref, person: Person, act: Act, place: Place) -> Record[Any]:
    """Return a record that this person may act on here; UserError otherwise."""
    record = desk.store.get(ref)
    if record is None:
        insist(desk, person, act, place)
        raise UserError("not-known", f"I know no {ref.kind.value} {ref.id}.", "Try /tune list.")
    insist(desk, person, act, place, record)
    return record
