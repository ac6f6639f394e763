"""Who may do what: one pure question, asked before every act (docs/architecture.md, promise 10)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from finetune.errors import UserError


class Act(StrEnum):
    """Everything a person can ask of the bot."""

    CHECK = "check"
    MEND = "mend"
    TRAIN = "train"
    LIST = "list"
    SHOW = "show"
    CANCEL = "cancel"
    STEER = "steer"
    DELETE = "delete"
    RESOLVE = "resolve"
    TRY = "try"
    COMPARE = "compare"
    ACCOUNT = "account"
    HOST = "host"
    SLEEP = "sleep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody in the workspace, as Slack describes them at the moment of asking."""

    id: str
    team: str
    name: str = ""
    is_guest: bool = False
    is_external: bool = False
    is_bot: bool = False
    is_admin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The channel the act is asked in. `is_shared`: people of another organisation read it."""

    channel: str
    is_shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """A thing that exists already: who asked for it, and where it lives. `payer`: who has it hosted, if anybody."""

    kind: str
    owner: str
    channel: str
    payer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the operator allows. An empty `channels` means every channel the bot was invited to."""

    channels: frozenset[str] = frozenset()


OWNERS_ONLY = frozenset({Act.CANCEL, Act.STEER, Act.DELETE, Act.RESOLVE, Act.SLEEP})
PAYERS_TOO = frozenset({Act.RESOLVE, Act.SLEEP})
"""What whoever has a model hosted may decide about it as well: it is their money."""

ADMINS_ONLY = frozenset({Act.ACCOUNT})
"""What shows things that no channel has: fine-tunes of the provider's account that were not made here."""


def may(person: Person, act: Act, place: Place, policy: Policy, thing: Owned | None = None) -> UserError | None:
    """Return why `person` may not do `act`, or None where they may.

    Guests, people of other organisations and shared channels are refused; channels can be limited; things made
    elsewhere are out of reach; a job is stopped by whoever asked for it or a workspace admin, and a host by whoever
    pays for it as well.
    """
    if (refusal := _may_at_all(person)) or (refusal := _may_here(place, policy)):
        return refusal
    if act in ADMINS_ONLY and not person.is_admin:
        return UserError(
            "admins-only", "Only admins of the workspace see the provider's whole account.", "Ask one of them."
        )
    return _may_touch(person, act, place, thing) if thing else None


def _may_at_all(person: Person) -> UserError | None:
    if person.is_bot:
        return UserError("bots-refused", "Bots cannot use Tuneroom.", "Ask a member of the team to do it.")
    if person.is_external:
        return UserError(
            "external-refused",
            "People of other organisations cannot use Tuneroom here.",
            "Ask a member of this workspace to do it.",
        )
    if person.is_guest:
        return UserError(
            "guest-refused", "Guests cannot use Tuneroom.", "Ask a full member of this workspace to do it."
        )
    return None


def _may_here(place: Place, policy: Policy) -> UserError | None:
    if place.is_shared:
        return UserError(
            "shared-channel-refused",
            "This channel is shared with another organisation, so I don't open datasets or models here.",
            "Use a channel that only your workspace is in.",
        )
    if policy.channels and place.channel not in policy.channels:
        return UserError(
            "channel-not-allowed",
            "I'm not set up to work in this channel.",
            "Use an allowed channel, or ask whoever runs me to add this one to TUNEROOM_CHANNELS.",
        )
    return None


def _may_touch(person: Person, act: Act, place: Place, thing: Owned) -> UserError | None:
    if thing.channel != place.channel:
        return UserError("elsewhere", f"I know no such {thing.kind} in this channel.", "Try /tune list.")
    deciders = {thing.owner, thing.payer if act in PAYERS_TOO else thing.owner}
    if act in OWNERS_ONLY and person.id not in deciders and not person.is_admin:
        return UserError(
            "not-yours", f"Only the person who started this {thing.kind} or an admin can do that.", "Ask them to do it."
        )
    return None
