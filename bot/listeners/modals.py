"""The modals when they are sent: a launch is confirmed, a prompt is asked, a lost run is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot import asking, intake, views
from bot.launching import FieldError, Memo, confirm, form_of, request_of, reserved_micros
from bot.listeners.commands import known
from bot.listeners.replies import OUT_OF_REACH, logged
from bot.rendering import report_of
from finetune.errors import UserError
from finetune.launch import parse_whole
from finetune.permissions import Act
from jobstore.connections import UNAVAILABLE
from jobstore.records import Ref
from jobstore.resolving import name_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from slack_bolt import Ack, App

    from bot.desk import Desk
    from bot.intake import Submission
    from bot.people import People
    from finetune.permissions import Person
    from jobstore.records import Record

    Answer = dict[str, Any] | None

FIRST_FIELD = {"launch": "suffix", "try": "prompt", "name_run": "run"}


def register(app: App, desk: Desk, people: People) -> None:
    """Take the three modals; what is wrong is said beside the field."""
    modals = Modals(desk, people)
    for callback, submit in (("launch", modals.launch), ("try", modals.ask), ("name_run", modals.name_run)):
        app.view(callback)(_listener(callback, submit))


def _listener(callback: str, submit: Callable[[Submission], Answer]) -> Callable[..., None]:
    def on_submission(ack: Ack, body: dict[str, Any]) -> None:
        answer = _answered(callback, lambda: submit(intake.submission(body)))
        ack(**answer) if answer else ack()

    return on_submission


def _answered(callback: str, submit: Callable[[], Answer]) -> Answer:
    field = FIRST_FIELD[callback]
    try:
        return submit()
    except FieldError as error:
        return _errors(error.field, error)
    except UserError as error:
        return _errors(field, error)
    except UNAVAILABLE:
        return _errors(field, OUT_OF_REACH)
    except Exception:  # noqa: BLE001 - whatever it was, the person gets an answer and the log the reason
        message = f"Something failed on our side (ref {logged()})."
        return _errors(field, UserError("internal", message, "Try again in a minute."))


def _errors(field: str, error: UserError) -> Answer:
    return {"response_action": "errors", "errors": {field: f"{error.message} {error.hint}".strip()}}


class Modals:
    """What each modal does when it is sent."""

    def __init__(self, desk: Desk, people: People) -> None:
        self._desk = desk
        self._people = people

    def launch(self, sent: Submission) -> Answer:
        """Confirm a launch, if the price is still what was shown; otherwise show the new one and ask again."""
        memo = Memo.of_text(sent.memo)
        person, dataset = self._known(sent, memo.dataset, Act.TRAIN)
        report = report_of(self._desk, dataset)
        if report is None:
            raise UserError("not-checked", "This dataset has no report any more.", "Drop it here once more.")
        request = request_of(self._desk, dataset, report, sent.values)
        if reserved_micros(request) > memo.shown_micros:
            form, new = form_of(self._desk, dataset, report, sent.values, notice=PRICE_CHANGED)
            return {"response_action": "update", "view": views.launch_modal(form, metadata=new.as_text())}
        confirm(self._desk, dataset, report, request, person, once=f"view:{sent.view_id}")
        return None

    def ask(self, sent: Submission) -> Answer:
        """Put a prompt to a model."""
        person, job = self._known(sent, sent.memo, Act.TRY)
        try:
            temperature = asking.parse_temperature(sent.values.get("temperature", ""))
        except UserError as error:
            raise FieldError("temperature", error) from error
        try:
            most = parse_whole(
                sent.values.get("max_tokens", ""), name="number of tokens", low=1, high=asking.TOKENS_MAX
            )
        except UserError as error:
            raise FieldError("max_tokens", error) from error
        asking.ask(
            self._desk,
            job,
            person,
            sent.values.get("prompt", ""),
            once=f"view:{sent.view_id}",
            temperature=temperature,
            max_tokens=most,
        )
        return None

    def name_run(self, sent: Submission) -> Answer:
        """Follow the run that a person found."""
        person, job = self._known(sent, sent.memo, Act.RESOLVE)
        run = sent.values.get("run", "").strip()
        if not run or len(run) > 200 or not run.isprintable() or " " in run:
            raise UserError(
                "run-invalid", "That is no run's id.", "Copy it from the provider's page, such as ftjob-1a2b."
            )
        name_run(self._desk.store, job, person.id, run)
        return None

    def _known(self, sent: Submission, member: str, act: Act) -> tuple[Person, Record[Any]]:
        ref = Ref.of_member(sent.team, member)
        record = self._desk.store.get(ref)
        person = self._people.person(sent.person, sent.team)
        place = self._people.place(record.data.channel) if record else self._people.place("")
        return person, known(self._desk, ref, person, act, place)


PRICE_CHANGED = "The price changed with what you chose. Look at it, and press the button again if you agree."
