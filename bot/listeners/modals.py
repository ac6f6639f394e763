"""The modals when they are sent: a launch is confirmed, a prompt is asked, a lost run is named."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError

from bot import asking, intake
from bot.confirming import confirm
from bot.form_values import of_chosen_model
from bot.launch_form import launch_view
from bot.launching import Memo, held_micros, launch_of
from bot.listeners.commands import known, offer_of
from bot.listeners.live_forms import LiveForms
from bot.listeners.replies import OUT_OF_REACH, logged
from bot.listeners.versions import submit_conversion, submit_mapping
from bot.payloads import text
from bot.said import FieldError
from bot.views import words
from bot.views.unclear import EXAMPLES
from finetune.errors import UserError
from finetune.launch import parse_whole
from finetune.permissions import Act
from jobstore.connections import UNAVAILABLE
from jobstore.deleting import delete_model
from jobstore.records import Ref
from jobstore.resolving import name_run
from jobstore.states import Actor

if TYPE_CHECKING:
    from collections.abc import Callable

    from slack_bolt import Ack, App
    from slack_sdk import WebClient

    from bot.desk import Desk
    from bot.intake import Change, Submission
    from bot.people import People
    from finetune.permissions import Person
    from jobstore.records import Record

    Answer = dict[str, Any] | None

log = logging.getLogger(__name__)

FIRST_FIELD = {
    "launch": "suffix",
    "try": "prompt",
    "name_run": "run",
    "delete_model": "model",
    "convert": "system",
    "map_columns": "prompt",
}


def register(app: App, desk: Desk, people: People) -> None:
    """Take the modals; what is wrong is said beside the field."""
    modals = Modals(desk, people)
    submits: dict[str, Callable[[Submission], Answer]] = {
        "launch": modals.launch,
        "try": modals.ask,
        "name_run": modals.name_run,
        "delete_model": modals.delete_model,
        "convert": modals.convert,
        "map_columns": modals.map_columns,
    }
    for callback, submit in submits.items():
        app.view(callback)(_listener(callback, submit))

    def on_change(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        modals.change(intake.change(body), client)

    app.action({"type": "block_actions", "action_id": intake.ANY}, matchers=[_is_launch])(on_change)


def _is_launch(body: dict[str, Any]) -> bool:
    return text(body, "view", "callback_id") == "launch"


def _listener(callback: str, submit: Callable[[Submission], Answer]) -> Callable[..., None]:
    def on_submission(ack: Ack, body: dict[str, Any]) -> None:
        sent = intake.submission(body)
        answer = _answered(callback, sent, lambda: submit(sent))
        ack(**answer) if answer else ack()

    return on_submission


def _answered(callback: str, sent: Submission, submit: Callable[[], Answer]) -> Answer:
    field = FIRST_FIELD[callback]
    try:
        return submit()
    except FieldError as error:  # a field that is folded away cannot show what is wrong with it
        return _errors(error.field if error.field in sent.values else field, error)
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
        self._shown = LiveForms()

    def launch(self, sent: Submission) -> Answer:
        """Confirm a launch, if the price is still what was shown; otherwise show the new one and ask again."""
        memo = Memo.of_text(sent.memo)
        person, dataset = self._known(sent, memo.dataset, Act.TRAIN)
        offer, values = offer_of(self._desk, dataset), memo.values(sent.values)
        launch = launch_of(offer, values)
        if held_micros(launch) > memo.shown_micros:
            view = launch_view(offer, values, folded=memo.folded, notice=PRICE_CHANGED)
            return {"response_action": "update", "view": view}
        confirm(offer, launch, person, once=f"view:{sent.view_id}")
        return None

    def change(self, changed: Change, client: WebClient) -> None:
        """Show the price for what is chosen now; a form that was changed again since, or is closed, is left alone."""
        self._shown.note(changed)
        memo = Memo.of_text(changed.memo)
        folded = memo.folded and changed.action != "launch_unfold"
        try:
            _, dataset = self._record(changed.team, changed.person, memo.dataset, Act.TRAIN)
            offer, values = offer_of(self._desk, dataset), memo.values(changed.values)
            values = of_chosen_model(offer, values) if changed.action == "model" else values
            view = launch_view(offer, values, folded=folded)
            self._shown.show(client, changed, view)
        except (UserError, SlackApiError) as error:
            log.info("form.not_updated", extra={"reason": str(error)[:200]})

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
        about, _, member = sent.memo.rpartition(" ")
        person, job = self._known(sent, member, Act.RESOLVE)
        run = sent.values.get("run", "").strip()
        what = "host" if job.state == "unclear_host" else "run"
        is_id = 0 < len(run) <= 200 and run.isprintable() and " " not in run
        if not is_id or (what == "host" and not all(run.partition("/"))):
            example = EXAMPLES[what]
            raise UserError("run-invalid", f"That is no {what}'s id.", f"The provider shows it: such as {example}.")
        named = name_run(self._desk.store, job, person.id, run, about=about)
        if named.at.actor is Actor.WORKER:
            self._desk.doorbell.ring(named.ref)
        return None

    def convert(self, sent: Submission) -> Answer:
        """Have a dataset's rows written as chat."""
        person, dataset = self._known(sent, sent.memo, Act.MEND)
        submit_conversion(self._desk, sent, person, dataset)
        return None

    def map_columns(self, sent: Submission) -> Answer:
        """Have a dataset's columns mapped."""
        person, dataset = self._known(sent, sent.memo, Act.MEND)
        submit_mapping(self._desk, sent, person, dataset)
        return None

    def delete_model(self, sent: Submission) -> Answer:
        """Delete a model for good."""
        person, job = self._known(sent, sent.memo, Act.DELETE)
        if sent.values.get("model", "").strip().lower() != words.model_handle(job.ref.id):
            message = f"Type {words.model_handle(job.ref.id)} to delete it."
            raise UserError("not-confirmed", message, "Nothing is deleted yet.")
        delete_model(self._desk.store, job, person.id)
        self._desk.doorbell.ring(job.ref)
        return None

    def _known(self, sent: Submission, member: str, act: Act) -> tuple[Person, Record[Any]]:
        return self._record(sent.team, sent.person, member, act)

    def _record(self, team: str, user: str, member: str, act: Act) -> tuple[Person, Record[Any]]:
        ref = Ref.of_member(team, member)
        record = self._desk.store.get(ref)
        person = self._people.person(user, team)
        place = self._people.place(record.data.channel) if record else self._people.place("")
        return person, known(self._desk, ref, person, act, place)


PRICE_CHANGED = "The price changed with what you chose. Look at it, and press the button again if you agree."
