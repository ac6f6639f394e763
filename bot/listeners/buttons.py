"""The buttons on our messages."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from bot import asking, intake, views
from bot.confirming import over_cap, reservation
from bot.form_values import first_values
from bot.launch_form import launch_view
from bot.listeners.commands import known, offer_of
from bot.listeners.comparing import CompareButtons
from bot.listeners.hosting import HostingButtons, waking
from bot.listeners.job_acts import JobButtons
from bot.listeners.models import quote_elsewhere
from bot.listeners.pictures import post_tokens
from bot.listeners.replies import Asker, explained
from bot.listeners.results import ResultButtons
from bot.listeners.splits import Splits
from bot.listeners.versions import VersionButtons
from bot.payloads import text
from finetune.errors import UserError
from finetune.permissions import Act
from jobstore.deliveries import Rank, post
from jobstore.money import CapError
from jobstore.records import Ref
from jobstore.resolving import give_up, held_micros, insist_on_question, question_of, start_anew
from jobstore.states import UNCLEAR, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from slack_bolt import Ack, App
    from slack_sdk import WebClient

    from bot.desk import Desk
    from bot.intake import Press
    from bot.people import People
    from jobstore.records import Record


def register(app: App, desk: Desk, people: People) -> None:
    """Answer every button; one that is not ours any more is told so."""
    buttons = Buttons(desk, people)

    def on_press(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        buttons.press(body, client)
        ack()

    app.action({"type": "block_actions", "action_id": intake.ANY})(on_press)


class Buttons:
    """What each button does."""

    def __init__(self, desk: Desk, people: People) -> None:
        self._desk = desk
        self._people = people
        self._acts: dict[str, tuple[Act, Callable[[Press, Record[Any], Asker], None]]] = {
            "train": (Act.TRAIN, self._train),
            "details": (Act.SHOW, self._details),
            "cancel_job": (Act.CANCEL, self._cancel),
            "try_model": (Act.TRY, self._try),
            "name_run": (Act.RESOLVE, self._name_run),
            "start_anew": (Act.RESOLVE, self._start_anew),
            "give_up": (Act.RESOLVE, self._give_up),
            **ResultButtons(desk).acts,
            **JobButtons(desk).acts,
            **VersionButtons(desk, people).acts(),
            "split": (Act.MEND, Splits(desk).press(people)),
            "quote_elsewhere": (Act.SHOW, quote_elsewhere(desk)),
            **HostingButtons(desk).acts,
            **CompareButtons(desk, people, partial(known, desk)).acts,
            "tokens": (Act.SHOW, post_tokens(desk)),
        }

    def press(self, body: dict[str, Any], client: WebClient) -> None:
        """Do what a button says, if this person may."""
        asker = _asker(body, client)
        with explained(asker):
            if body["actions"][0].get("type") not in {"button", "overflow"}:
                return
            pressed = intake.press(body)
            if pressed.action not in self._acts:
                raise UserError("button-unknown", "I don't know this button any more.", "Try /tune help.")
            act, do = self._acts[pressed.action]
            person = self._people.person(pressed.person, pressed.team)
            record = self._desk.store.get(pressed.ref)
            place = self._people.place(pressed.channel or (record.data.channel if record else ""))
            do(pressed, known(self._desk, pressed.ref, person, act, place), asker)

    def _train(self, pressed: Press, dataset: Record[Any], asker: Asker) -> None:
        offer = offer_of(self._desk, dataset)
        asker.client.views_open(trigger_id=pressed.trigger, view=launch_view(offer, first_values(offer)))

    def _details(self, pressed: Press, job: Record[Any], asker: Asker) -> None:
        store = self._desk.store
        view = views.details_modal(job, store.events(job.ref), store.now_ms())
        asker.client.views_open(trigger_id=pressed.trigger, view=view)

    def _cancel(self, pressed: Press, job: Record[Any], asker: Asker) -> None:
        asker.tell(
            views.cancel_outcome(job, self._desk.store.flag_cancel(job.ref, pressed.person, channel=job.data.channel))
        )

    def _try(self, pressed: Press, record: Record[Any], asker: Asker) -> None:
        job, prompt = record, ""
        if record.ref.kind is Kind.PROMPT:
            found = self._desk.store.get(Ref(record.ref.team, Kind.JOB, record.data.job))
            if found is None:
                raise UserError("job-gone", "The job of this model is no longer kept.", "Try /tune list.")
            job, prompt = found, self._desk.blobs.read(record.ref.team, record.data.text).decode()
        if offer := waking(self._desk, job):
            return asker.tell(offer)
        asking.insist_on_ready(job)
        return asking.open_form(self._desk, asker.client, job, pressed.trigger, prompt=prompt)

    def _name_run(self, pressed: Press, job: Record[Any], asker: Asker) -> None:
        self._insist(pressed, job)
        metadata = f"{pressed.detail} {job.ref.member}"
        asker.client.views_open(trigger_id=pressed.trigger, view=views.name_run_modal(job, metadata=metadata))

    def _start_anew(self, pressed: Press, job: Record[Any], _: Asker) -> None:
        self._insist(pressed, job)
        desk, data = self._desk, job.data
        paid = data.open_stay or data
        reserve = reservation(desk, paid.person, data.channel, held_micros(job), desk.store.now_ms())
        try:
            start_anew(desk.store, job, pressed.person, about=pressed.detail, reserve=reserve)
        except CapError as error:
            raise over_cap(error, reserve.micros, reserve.month, is_host=paid is not data) from error
        desk.doorbell.ring(job.ref)

    def _give_up(self, pressed: Press, job: Record[Any], _: Asker) -> None:
        self._insist(pressed, job)
        give_up(self._desk.store, job, pressed.person, about=pressed.detail)

    def _insist(self, pressed: Press, job: Record[Any]) -> None:
        """Refuse what answers an earlier question, and put the one that waits where it can be answered."""
        try:
            insist_on_question(job, pressed.detail)
        except UserError:
            if job.state in UNCLEAR:
                again = question_of(job)
                asked = post(job.ref, "unclear", channel=job.data.channel, rank=Rank.TERMINAL, once=again)
                self._desk.outbox.put(job.ref.team, asked)
            raise


def _asker(body: dict[str, Any], client: WebClient) -> Asker:
    channel = text(body, "channel", "id") or text(body, "container", "channel_id")
    thread_ts = text(body, "container", "thread_ts")
    return Asker(client=client, channel=channel, person=body["user"]["id"], thread_ts=thread_ts)
