"""Exactly one host for one confirmed stay, ended when its time has come, and paid as long as it lasted.

By the real stages, Together's own SDK, and a server that answers in its shapes.
"""

from __future__ import annotations

import dataclasses
import fnmatch
from typing import TYPE_CHECKING, Any, Final

import pytest

from finetune.catalogue import Catalogue
from finetune.errors import UserError
from finetune.hosting import HOUR_MS, HostRequest
from jobstore.blobs import Blobs
from jobstore.buckets import Buckets
from jobstore.connections import connect_rq
from jobstore.deleting import delete_model
from jobstore.doorbell import Doorbell
from jobstore.hosting import host, keep_asleep, next_number, put_to_sleep
from jobstore.money import Account, CapError, Reservation
from jobstore.resolving import give_up, name_run, start_anew
from jobstore.store import StaleError
from tests.support.samples import CHANNEL, MONTH, TEAM, a_job, a_prompt, a_request, recorded
from tests.support.together_server import DEPLOY, KEY, TogetherServer
from tests.support.together_serving import BASE
from tests.support.together_wire import refusal
from tests.support.waiting import wait_for
from workers.endpoint import Endpoint
from workers.perform import perform
from workers.stages.hosting import deploy
from workers.stages.hosting_end import ASKED_HASH, STOPPING_TAKES_MS
from workers.together_protocol import Together
from workers.workshop import Timings, Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis

    from jobstore.connections import Redis
    from jobstore.records import Record, Ref
    from jobstore.stays import Stay
    from jobstore.store import Store

MODEL: Final = "acme/support-bot"
PRICE: Final = 3.99
STOP: Final = ("PATCH", "/v2/projects/*/deployments/*")
LOOK: Final = ("GET", "/v2/projects/*/deployments/*")
LONG: Final = Timings(lease_s=30, create_deadline_s=10, lookup_grace_s=60, retry_base_s=0, poll_min_s=0, poll_max_s=0)
SHORT: Final = dataclasses.replace(LONG, create_deadline_s=0.5, lookup_grace_s=0.5)
ACCOUNTS: Final = (Account(name="person:U2"), Account(name=f"channel:{CHANNEL}"))


@pytest.fixture
def server() -> Iterator[TogetherServer]:
    server = TogetherServer()
    server.training.add_model(MODEL)
    yield server
    server.close()


@pytest.fixture
def shop(store: Store, connection: Redis, redis_url: str, tmp_path: Path, server: TogetherServer) -> Iterator[Workshop]:
    """A workshop at Together whose look-ups are believed after a minute and more."""
    endpoint = Endpoint(name="together", api_key=KEY, base_url=server.address, timeout_s=30)
    with connect_rq(redis_url) as bells:
        yield Workshop(
            store=store,
            blobs=Blobs(str(tmp_path)),
            doorbell=Doorbell(bells),
            buckets=Buckets(connection),
            providers={"together": Together(endpoint)},
            catalogue=Catalogue.load(),
            models=(),
            timings=LONG,
        )


@pytest.fixture
def asked(shop: Workshop, store: Store) -> Ref:
    """A job whose model is trained and waits to be hosted."""
    contract, _ = shop.blobs.put(TEAM, [b'{"kind": "chat"}'])
    ref = recorded(store, a_job(request=a_request(provider="together", model=BASE), contract=contract, model=MODEL))
    for state in ("uploading", "creating", "queued", "analysing", "awaiting_hosting"):
        record = now(store, ref)
        store.transition(record, state, record.data)
    return ref


@pytest.fixture
def confirmed(store: Store, asked: Ref) -> Ref:
    """The same, confirmed for an hour."""
    return confirm(store, asked)


def confirm(store: Store, ref: Ref, *, hours: int = 1, usd: float = PRICE, **caps: int) -> Ref:
    """Confirm a stay as U2, who did not start the job."""
    record = now(store, ref)
    request = HostRequest(
        job=ref.id, provider="together", model=MODEL, hours=hours, usd_per_hour=usd, number=next_number(record.data)
    )
    micros = round(request.most_usd * 1_000_000)
    most = {"run_cap_micros": 10**9, "month_cap_micros": 10**9} | caps
    return host(store, record, request, "U2", Reservation(month=MONTH, micros=micros, accounts=ACCOUNTS, **most)).ref


def now(store: Store, ref: Ref) -> Record[Any]:
    record = store.get(ref)
    assert record is not None
    return record


def stay(store: Store, ref: Ref) -> Stay:
    found = now(store, ref).data.stay
    assert found is not None
    return found


def go_to(shop: Workshop, ref: Ref, state: str) -> Record[Any]:
    """Perform until the job stands in `state`."""

    def stands() -> bool:
        if now(shop.store, ref).state != state:
            perform(shop, ref)
        return now(shop.store, ref).state == state

    wait_for(stands, timeout_s=60)
    return now(shop.store, ref)


def deployed(server: TogetherServer) -> int:
    """How often a host was asked for."""
    return sum(
        count for (method, path), count in server.seen.items() if method == "POST" and fnmatch.fnmatch(path, DEPLOY[1])
    )


def age(store: Store, ref: Ref, ms: int) -> None:
    """Let a stay have begun so much earlier."""
    record = now(store, ref)
    older = dataclasses.replace(record.data.stay, began_ms=record.data.stay.began_ms - ms)
    store.transition(record, record.state, record.having(stay=older))


def spend(store: Store) -> set[tuple[float, float]]:
    """What is reserved and spent, in each of the accounts that the money stands in."""
    return {store.spend(TEAM, MONTH, name) for name in ("", *(account.name for account in ACCOUNTS))}


def asking(shop: Workshop, hosted: Record[Any]) -> Ref:
    """A question to a hosted model, just recorded."""
    text = shop.blobs.put_text(TEAM, "hi")
    return recorded(shop.store, a_prompt(job=hosted.ref.id, text=text, model=hosted.data.answering))


def is_posted(peek: redis.Redis, view: str, ref: Ref, number: int) -> bool:
    """Whether the outbox was asked to say something of a job's stay."""
    return bool(peek.exists(f"tuneroom:{{{TEAM}}}:delivery:{view}:{ref.member}:{number}"))


def events(store: Store, ref: Ref) -> list[str]:
    return [event["type"] for event in store.events(ref)]


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
    reserve = Reservation(month=MONTH, micros=3_990_000, run_cap_micros=10**9, month_cap_micros=10**9)
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

    start_anew(store, record, "U2", month_cap_micros=10**9)
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
    name_run(store, record, "U2", f"{made['endpointId']}/{made['id']}")
    go_to(shop, confirmed, "hosted")

    assert deployed(server) == 1


def test_named_host_that_is_none_is_asked_about_again(
    shop: Workshop, store: Store, server: TogetherServer, confirmed: Ref
) -> None:
    server.drop(DEPLOY)
    record = go_to(dataclasses.replace(shop, timings=SHORT), confirmed, "unclear_host")
    name_run(store, record, "U2", "ep_none/dep_none")
    record = go_to(shop, confirmed, "unclear_host")

    assert "no such host" in record.data.note
    give_up(store, record, "U2")
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


def test_hours_that_are_over_end_the_host_and_are_paid(
    shop: Workshop, store: Store, server: TogetherServer, confirmed: Ref
) -> None:
    go_to(shop, confirmed, "hosted")
    age(store, confirmed, HOUR_MS - STOPPING_TAKES_MS)
    slept = go_to(shop, confirmed, "asleep")

    assert server.serving.paid() == []
    assert slept.data.stay.why == "hours"
    ((reserved, spent),) = spend(store)
    assert reserved == 0
    assert PRICE * 59 / 60 <= spent <= PRICE
    assert round(spent * 1_000_000) == slept.data.stay.spent_micros == slept.data.hosted_micros


def test_model_that_nobody_asks_is_put_to_sleep(
    shop: Workshop, store: Store, server: TogetherServer, confirmed: Ref
) -> None:
    go_to(shop, confirmed, "hosted")
    impatient = dataclasses.replace(shop, timings=dataclasses.replace(LONG, hosting_idle_s=0))
    slept = go_to(impatient, confirmed, "asleep")

    assert server.serving.paid() == []
    assert slept.data.stay.why == "idle"


def test_question_keeps_a_model_awake(shop: Workshop, store: Store, confirmed: Ref) -> None:
    hosted = go_to(shop, confirmed, "hosted")
    prompt = recorded(
        store, a_prompt(job=confirmed.id, text=shop.blobs.put_text(TEAM, "hi"), model=hosted.data.answering)
    )
    before_ms = store.now_ms()
    perform(shop, prompt)

    assert now(store, prompt).state == "answered"
    assert int(store.marked(TEAM, ASKED_HASH, confirmed.id) or 0) >= before_ms
    # it became ready long ago, and was asked just now
    record = now(store, confirmed)
    long_ago = dataclasses.replace(record.data.stay, answers_ms=record.data.stay.answers_ms - HOUR_MS)
    store.transition(record, "hosted", record.having(stay=long_ago))
    perform(shop, confirmed)
    assert now(store, confirmed).state == "hosted"


def test_question_to_a_model_that_fell_asleep_says_so(shop: Workshop, store: Store, confirmed: Ref) -> None:
    hosted = go_to(shop, confirmed, "hosted")
    prompt = recorded(
        store, a_prompt(job=confirmed.id, text=shop.blobs.put_text(TEAM, "hi"), model=hosted.data.answering)
    )
    put_to_sleep(store, now(store, confirmed), "U2")
    go_to(shop, confirmed, "asleep")
    perform(shop, prompt)

    assert (now(store, prompt).state, now(store, prompt).data.refusal.code) == ("failed", "asleep")


def test_host_that_the_provider_ended_is_noticed(
    shop: Workshop, store: Store, server: TogetherServer, confirmed: Ref
) -> None:
    go_to(shop, confirmed, "hosted")
    server.serving.fall_idle()
    slept = go_to(shop, confirmed, "asleep")
    assert slept.data.stay.why == "provider"


def test_stop_that_fails_is_tried_until_it_is_done_and_said_once(
    shop: Workshop, store: Store, peek: redis.Redis, server: TogetherServer, confirmed: Ref
) -> None:
    go_to(shop, confirmed, "hosted")
    put_to_sleep(store, now(store, confirmed), "U2")
    server.refuse(STOP, refusal(500, "Internal error", "internal_error"), times=12)
    for _ in range(6):
        perform(shop, confirmed)
    assert now(store, confirmed).state == "stopping"
    assert len(server.serving.paid()) == 1
    assert is_posted(peek, "not_stopped", confirmed, 1)
    go_to(shop, confirmed, "asleep")

    assert server.serving.paid() == []


def test_woken_model_is_another_stay_and_is_not_measured_again(
    shop: Workshop, store: Store, peek: redis.Redis, server: TogetherServer, confirmed: Ref
) -> None:
    first = go_to(shop, confirmed, "hosted")
    put_to_sleep(store, first, "U2")
    go_to(shop, confirmed, "asleep")
    confirm(store, confirmed, hours=2)
    second = go_to(shop, confirmed, "hosted")

    assert (deployed(server), len(server.serving.paid())) == (2, 1)
    assert (second.data.stay.number, second.data.stay.woken) == (2, True)
    assert second.data.ready_ms == first.data.ready_ms
    assert is_posted(peek, "woken", confirmed, 2)
    put_to_sleep(store, second, "U2")
    slept = go_to(shop, confirmed, "asleep")
    assert slept.data.hosted_micros == round(store.spend(TEAM, MONTH)[1] * 1_000_000)


def test_model_that_never_answers_sleeps_when_its_hours_are_over(
    shop: Workshop, store: Store, server: TogetherServer, confirmed: Ref
) -> None:
    server.serving.ready_after = 1_000_000
    perform(shop, confirmed)
    assert now(store, confirmed).state == "deploying"
    age(store, confirmed, HOUR_MS)
    slept = go_to(shop, confirmed, "asleep")

    assert server.serving.paid() == []
    assert slept.data.stay.why == "silent"
    assert "did not answer" in slept.data.stay.refusal.message


def test_host_that_cannot_be_looked_at_goes_on_and_is_asked_after(
    shop: Workshop, store: Store, server: TogetherServer, confirmed: Ref
) -> None:
    go_to(shop, confirmed, "hosted")
    server.refuse(LOOK, refusal(500, "Internal error", "internal_error"), times=3)
    for _ in range(3):
        perform(shop, confirmed)
        assert now(store, confirmed).state == "hosted"


def test_model_that_waits_to_be_hosted_can_be_deleted(
    shop: Workshop, store: Store, server: TogetherServer, asked: Ref
) -> None:
    delete_model(store, now(store, asked), "U1")
    go_to(shop, asked, "deleted")
    assert MODEL not in {model["name"] for model in server.training.models.values()}


def test_hosted_model_is_not_deleted_before_its_host_is_ended(shop: Workshop, store: Store, confirmed: Ref) -> None:
    hosted = go_to(shop, confirmed, "hosted")
    with pytest.raises(UserError, match="hosted"):
        delete_model(store, hosted, "U1")
    put_to_sleep(store, hosted, "U2")
    slept = go_to(shop, confirmed, "asleep")
    delete_model(store, slept, "U1")
    go_to(shop, confirmed, "deleted")
