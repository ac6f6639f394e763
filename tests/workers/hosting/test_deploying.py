"""Exactly one host for one confirmed stay: by the real stage, Together's own SDK, and a server in its shapes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from finetune.errors import UserError
from finetune.hosting import HOUR_MS, HostRequest
from jobstore.hosting import host, keep_asleep, put_to_sleep
from jobstore.money import CapError
from jobstore.resolving import give_up, name_run, question_of, start_anew
from jobstore.store import StaleError
from tests.support.samples import TEAM
from tests.support.together_server import DEPLOY, KEY, TogetherServer
from tests.support.waiting import wait_for
from tests.workers.hosting.bench import (
    MODEL,
    PRICE,
    SHORT,
    confirm,
    deployed,
    events,
    go_to,
    is_posted,
    now,
    reserving,
    spend,
)
from workers.endpoint import Endpoint
from workers.openai_protocol import OpenAIProtocol
from workers.perform import perform
from workers.stages.hosting import deploy

if TYPE_CHECKING:
    import redis

    from jobstore.records import Ref
    from jobstore.store import Store
    from workers.workshop import Workshop


def test_confirmed_stay_is_one_host_that_answers(
    shop: Workshop, store: Store, server: TogetherServer, confirmed: Ref
) -> None:
    hosted = go_to(shop, confirmed, "hosted")

    assert (deployed(server), len(server.serving.paid())) == (1, 1)
    assert server.serving.asked[-1]["model"] == hosted.data.answering == hosted.data.stay.model != MODEL
    assert hosted.data.stay.until_ms == hosted.data.stay.intent.posted_ms + HOUR_MS
    assert spend(store) == {(PRICE, 0.0)}
    assert events(store, confirmed)[-5:] == [
        "HostingConfirmed", "HostIntended", "HostCreated", "HostStarted", "ModelReady",
    ]  # fmt: skip
    audited = [entry for entry in store.audit(TEAM) if entry["act"] == "host"]
    assert [(entry["person"], entry["digest"], entry["micros"]) for entry in audited] == [
        ("U2", hosted.data.stay.digest, 3_990_000)
    ]


def test_nothing_is_hosted_before_somebody_confirms(
    shop: Workshop, store: Store, server: TogetherServer, asked: Ref
) -> None:
    perform(shop, asked)
    assert (now(store, asked).state, deployed(server)) == ("awaiting_hosting", 0)
    keep_asleep(store, now(store, asked), "U1")
    perform(shop, asked)
    assert (now(store, asked).state, deployed(server)) == ("asleep", 0)
    assert spend(store) == {(0.0, 0.0)}


def test_confirmation_over_a_cap_changes_nothing(store: Store, asked: Ref) -> None:
    for caps, name in (({"run_cap_micros": 3_989_999}, "run"), ({"month_cap_micros": 3_989_999}, "month")):
        with pytest.raises(CapError) as refused:
            confirm(store, asked, **caps)
        assert refused.value.cap == name
    assert (now(store, asked).state, now(store, asked).data.stay) == ("awaiting_hosting", None)
    assert spend(store) == {(0.0, 0.0)}


def test_confirmation_that_comes_twice_is_one_stay(shop: Workshop, store: Store, asked: Ref) -> None:
    before = now(store, asked)
    request = HostRequest(job=asked.id, provider="together", model=MODEL, hours=1, usd_per_hour=PRICE, number=1)
    reserve = reserving(3_990_000)
    host(store, before, request, "U2", reserve)
    for record in (before, now(store, asked)):
        with pytest.raises(UserError):
            host(store, record, request, "U2", reserve)
    # nor after it has slept: what was confirmed was the first stay
    go_to(shop, asked, "hosted")
    put_to_sleep(store, now(store, asked), "U2")
    go_to(shop, asked, "asleep")
    with pytest.raises(UserError, match="changed"):
        host(store, now(store, asked), request, "U2", reserve)


def test_lost_answer_is_found_by_the_intent(
    shop: Workshop, store: Store, server: TogetherServer, confirmed: Ref
) -> None:
    server.lose(DEPLOY)
    server.serving.late_lists = 0
    perform(shop, confirmed)
    assert "looking the host up" in now(store, confirmed).data.note
    go_to(shop, confirmed, "hosted")

    assert (deployed(server), len(server.serving.paid())) == (1, 1)


def test_host_that_cannot_be_found_is_put_before_the_one_who_confirmed(
    shop: Workshop, store: Store, server: TogetherServer, confirmed: Ref
) -> None:
    server.drop(DEPLOY)
    record = go_to(dataclasses.replace(shop, timings=SHORT), confirmed, "unclear_host")
    assert deployed(server) == 1

    start_anew(store, record, "U2", about=question_of(record), reserve=reserving(3_990_000))
    assert spend(store) == {(PRICE, PRICE)}
    go_to(shop, confirmed, "hosted")
    assert (deployed(server), len(server.serving.paid())) == (2, 1)
    assert now(store, confirmed).data.hosted_micros == 3_990_000


def test_host_that_somebody_names_is_waited_for(
    shop: Workshop, store: Store, server: TogetherServer, confirmed: Ref
) -> None:
    server.lose(DEPLOY)
    server.serving.late_lists = 1_000_000
    record = go_to(dataclasses.replace(shop, timings=SHORT), confirmed, "unclear_host")
    (made,) = server.serving.deployments.values()
    name_run(store, record, "U2", f"{made['endpointId']}/{made['id']}", about=question_of(record))
    go_to(shop, confirmed, "hosted")

    assert deployed(server) == 1


@pytest.mark.parametrize("named", ["ep_none/dep_none", "none"])
def test_named_host_that_is_none_is_asked_about_again(
    shop: Workshop, store: Store, server: TogetherServer, confirmed: Ref, named: str
) -> None:
    server.drop(DEPLOY)
    record = go_to(dataclasses.replace(shop, timings=SHORT), confirmed, "unclear_host")
    name_run(store, record, "U2", named, about="host-1-0")
    record = go_to(shop, confirmed, "unclear_host")

    assert "no such host" in record.data.note
    give_up(store, record, "U2", about="host-1-0")
    assert now(store, confirmed).state == "asleep"
    assert spend(store) == {(0.0, PRICE)}
    assert now(store, confirmed).data.hosted_micros == 3_990_000


def test_owner_that_lost_its_lease_before_the_request_sends_none(
    shop: Workshop, store: Store, server: TogetherServer, confirmed: Ref
) -> None:
    mine = store.claim(confirmed, ["deploying"], 1)
    assert mine is not None
    wait_for(lambda: store.claim(confirmed, ["deploying"], 60_000))

    with pytest.raises(StaleError):
        deploy(shop, mine)
    assert deployed(server) == 0


def test_record_that_is_older_than_its_host_finds_it_again(
    shop: Workshop, store: Store, server: TogetherServer, confirmed: Ref
) -> None:
    """As after a restart from a copy that was made before the request: the intent is not even recorded."""
    before = now(store, confirmed).data
    perform(shop, confirmed)
    record = now(store, confirmed)
    store.transition(record, "deploying", before)
    go_to(shop, confirmed, "hosted")

    assert (deployed(server), len(server.serving.paid())) == (1, 1)


def test_host_that_the_provider_refuses_lets_the_model_sleep_with_the_reason(
    shop: Workshop, store: Store, peek: redis.Redis, server: TogetherServer, confirmed: Ref
) -> None:
    server.serving.capacity = False
    slept = go_to(shop, confirmed, "asleep")

    assert slept.data.stay.refusal is not None
    assert slept.data.stay.refusal.message
    assert spend(store) == {(0.0, 0.0)}
    assert slept.data.cost_usd == now(store, confirmed).data.cost_usd
    assert is_posted(peek, "not_hosted", confirmed, 1)


def test_price_above_the_confirmed_one_hosts_nothing_and_is_offered_then(
    shop: Workshop, store: Store, server: TogetherServer, asked: Ref
) -> None:
    confirm(store, asked, usd=2.0)
    slept = go_to(shop, asked, "asleep")

    assert deployed(server) == 0
    assert "$3.99 an hour now, and $2.00 was confirmed" in slept.data.stay.refusal.message
    assert slept.data.host_usd_per_hour == PRICE
    assert spend(store) == {(0.0, 0.0)}


def test_host_that_fails_to_start_costs_nothing(
    shop: Workshop, store: Store, server: TogetherServer, confirmed: Ref
) -> None:
    perform(shop, confirmed)
    for one in server.serving.deployments.values():
        one["status"] = {"state": "DEPLOYMENT_STATE_FAILED", "message": "", "readyReplicas": 0}
    slept = go_to(shop, confirmed, "asleep")

    assert server.serving.paid() == []
    assert slept.data.stay.why == "failed"
    assert spend(store) == {(0.0, 0.0)}


def test_host_is_not_forgotten_where_the_provider_is_set_up_without_hosting(
    shop: Workshop, store: Store, server: TogetherServer, confirmed: Ref
) -> None:
    """As after a change of settings: the host runs, so it is followed until it can be ended."""
    perform(shop, confirmed)
    bare = OpenAIProtocol(Endpoint(name="together", api_key=KEY, base_url=server.address))
    perform(dataclasses.replace(shop, providers={"together": bare}), confirmed)

    assert now(store, confirmed).state == "deploying"
    assert "hosts no models" in now(store, confirmed).data.note
    assert spend(store) == {(PRICE, 0.0)}
    go_to(shop, confirmed, "hosted")
    assert (deployed(server), len(server.serving.paid())) == (1, 1)


def test_host_that_may_have_been_made_is_put_before_a_person_where_it_cannot_be_looked_up(
    shop: Workshop, store: Store, server: TogetherServer, confirmed: Ref
) -> None:
    server.lose(DEPLOY)
    perform(shop, confirmed)
    bare = OpenAIProtocol(Endpoint(name="together", api_key=KEY, base_url=server.address))
    perform(dataclasses.replace(shop, providers={"together": bare}), confirmed)

    assert now(store, confirmed).state == "unclear_host"
    assert spend(store) == {(PRICE, 0.0)}
