"""Promise 10: one pure question before every act; every refusal has its code."""

from __future__ import annotations

import dataclasses
from itertools import product
from typing import Any

import pytest

from finetune.permissions import OWNERS_ONLY, Act, Owned, Person, Place, Policy, may

MEMBER = Person(id="U1", team="T1")
HERE = Place(channel="C1")
ANYWHERE = Policy()
MINE = Owned(kind="job", owner="U1", channel="C1")
THEIRS = Owned(kind="job", owner="U2", channel="C1")
EVERYBODYS = [act for act in Act if act is not Act.ACCOUNT]
ENDING_OR_DECIDING = {Act.CANCEL, Act.STEER, Act.DELETE, Act.RESOLVE, Act.SLEEP}


def code(
    person: Person = MEMBER,
    act: Act = Act.TRAIN,
    place: Place = HERE,
    policy: Policy = ANYWHERE,
    thing: Owned | None = None,
) -> str:
    """The refusal's code, "" where there is none."""
    refusal = may(person, act, place, policy, thing)
    return refusal.code if refusal else ""


@pytest.mark.parametrize("act", EVERYBODYS)
def test_member_may_do_everything_with_their_own(act: Act) -> None:
    assert code(act=act) == ""
    assert code(act=act, thing=MINE) == ""


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("is_admin", [False, True])
@pytest.mark.parametrize(
    ("who", "refused"),
    [("is_bot", "bots-refused"), ("is_external", "external-refused"), ("is_guest", "guest-refused")],
)
def test_stranger_may_do_nothing_not_even_with_their_own(who: str, refused: str, act: Act, *, is_admin: bool) -> None:
    stranger = dataclasses.replace(MEMBER, is_admin=is_admin, **{who: True})
    assert code(stranger, act) == refused
    assert code(stranger, act, thing=MINE) == refused


@pytest.mark.parametrize("act", Act)
def test_nothing_is_done_in_a_shared_channel(act: Act) -> None:
    shared = Place(channel="C1", is_shared=True)
    assert code(act=act, place=shared) == "shared-channel-refused"
    assert code(act=act, place=shared, policy=Policy(channels=frozenset({"C1"}))) == "shared-channel-refused"


@pytest.mark.parametrize("act", EVERYBODYS)
def test_channels_can_be_limited(act: Act) -> None:
    assert code(act=act, policy=Policy(channels=frozenset({"C1", "C2"}))) == ""
    assert code(act=act, policy=Policy(channels=frozenset({"C2"}))) == "channel-not-allowed"


def test_the_providers_account_is_shown_to_admins_only() -> None:
    assert code(act=Act.ACCOUNT) == "admins-only"
    assert code(dataclasses.replace(MEMBER, is_admin=True), Act.ACCOUNT) == ""


@pytest.mark.parametrize("act", EVERYBODYS)
@pytest.mark.parametrize("is_admin", [False, True])
def test_things_made_elsewhere_are_out_of_reach_and_unknown(act: Act, *, is_admin: bool) -> None:
    """An admin, too: whoever asks in one channel does not learn what another has."""
    person = dataclasses.replace(MEMBER, is_admin=is_admin)
    refusal = may(person, act, Place(channel="C2"), ANYWHERE, MINE)
    assert refusal is not None
    assert refusal.code == "elsewhere"
    assert refusal.message == "I know no such job in this channel."


@pytest.mark.parametrize("act", EVERYBODYS)
def test_what_another_started_is_theirs_to_stop(act: Act) -> None:
    assert code(act=act, thing=THEIRS) == ("not-yours" if act in ENDING_OR_DECIDING else "")
    assert code(dataclasses.replace(MEMBER, is_admin=True), act, thing=THEIRS) == ""


@pytest.mark.parametrize("act", sorted(ENDING_OR_DECIDING))
def test_whoever_pays_for_a_host_may_end_it_and_decide_about_it(act: Act) -> None:
    paid_by_me = dataclasses.replace(THEIRS, payer=MEMBER.id)
    assert code(act=act, thing=paid_by_me) == ("" if act in {Act.RESOLVE, Act.SLEEP} else "not-yours")


def test_owners_only_are_the_acts_that_end_or_decide() -> None:
    assert set(OWNERS_ONLY) == ENDING_OR_DECIDING


FLAGS: list[dict[str, Any]] = [
    dict(zip(("is_guest", "is_external", "is_bot", "is_admin"), flags, strict=True))
    for flags in product((False, True), repeat=4)
]


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("act", Act)
def test_no_mixture_of_rights_lets_a_stranger_in(flags: dict[str, bool], act: Act) -> None:
    person = dataclasses.replace(MEMBER, **flags)
    is_stranger = person.is_guest or person.is_external or person.is_bot
    places = [Place(channel="C1"), Place(channel="C2"), Place(channel="C1", is_shared=True)]
    policies = [ANYWHERE, Policy(channels=frozenset({"C1"}))]
    for place, policy, thing in product(places, policies, (None, MINE, THEIRS)):
        refusal = may(person, act, place, policy, thing)
        if is_stranger or place.is_shared or (policy.channels and place.channel != "C1"):
            assert refusal is not None
        if refusal is not None:
            assert refusal.message
            assert refusal.hint
