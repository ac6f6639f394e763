"""Who is asking, and where: read from Slack, kept for five minutes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, cast

from slack_sdk.errors import SlackApiError

from bot.payloads import table, text
from bot.slack_errors import missing_scope
from finetune.errors import UserError
from finetune.permissions import Owned, Person, Place, may
from jobstore.jobs import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from slack_sdk import WebClient

    from bot.desk import Desk
    from finetune.permissions import Act
    from jobstore.records import Record

KEPT_S: Final = 300.0


class People:
    """Looks people and channels up. What cannot be looked up is refused: a guest must not pass for a member."""

    def __init__(self, client: WebClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._kept: dict[tuple[str, ...], tuple[float, Any]] = {}

    def person(self, user: str, team: str) -> Person:
        """Return somebody of the workspace `team`."""
        return self._remembered(("user", team, user), lambda: self._ask_person(user, team))

    def place(self, channel: str) -> Place:
        """Return a channel, with whether another organisation reads it."""
        return self._remembered(("channel", channel), lambda: self._ask_place(channel))

    def _remembered(self, key: tuple[str, ...], ask: Callable[[], Any]) -> Any:
        until, value = self._kept.get(key, (0.0, None))
        if until < self._clock():
            value = ask()
            self._kept[key] = (self._clock() + KEPT_S, value)
        return value

    def _ask_person(self, user: str, team: str) -> Person:
        found: dict[str, Any] = self._look_up(lambda: table(self._client.users_info(user=user), "user"))
        return Person(
            id=user,
            name=text(found, "profile", "display_name") or text(found, "real_name") or text(found, "name"),
            team=found.get("team_id", team),
            is_guest=bool(found.get("is_restricted") or found.get("is_ultra_restricted")),
            is_external=bool(found.get("is_stranger")) or found.get("team_id", team) != team,
            is_bot=bool(found.get("is_bot")),
            is_admin=bool(found.get("is_admin") or found.get("is_owner")),
        )

    def _ask_place(self, channel: str) -> Place:
        found: dict[str, Any] = self._look_up(
            lambda: table(self._client.conversations_info(channel=channel), "channel")
        )
        return Place(channel=channel, is_shared=bool(found.get("is_ext_shared") or found.get("is_pending_ext_shared")))

    @staticmethod
    def _look_up(ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return ask()
        except SlackApiError as error:
            reason = text(cast("Any", error.response), "error")
            if reason == "unknown_method":  # Slack has it: this is a stand-in, which has no guests either
                return {}
            needed = text(cast("Any", error.response), "needed")
            hint = missing_scope(needed) if needed else "Invite me to this channel, or ask whoever runs me for help."
            raise UserError(
                "cannot-look-up", f"I could not find out who may use me here (Slack says {reason}).", hint
            ) from error


def insist(desk: Desk, person: Person, act: Act, place: Place, record: Record[Any] | None = None) -> None:
    """Raise the UserError that says why `person` may not do `act`; every act passes here."""
    if (refusal := may(person, act, place, desk.policy, _owned(record) if record else None)) is not None:
        raise refusal


def _owned(record: Record[Any]) -> Owned:
    data = record.data
    stay = data.open_stay if isinstance(data, Job) else None
    kind, payer = record.ref.kind.value, stay.person if stay else ""
    return Owned(kind=kind, owner=data.person, channel=data.channel, payer=payer)


def allows(desk: Desk, person: Person, act: Act, place: Place) -> bool:
    """Whether `person` may do `act`; for what is shown to some and not to others."""
    return may(person, act, place, desk.policy) is None
