"""A host is ended when its time has come, and paid as long as it lasted; a model is measured while it has one."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import msgspec
import pytest

from finetune.contract import Label, PromptContract
from finetune.errors import UserError
from finetune.hosting import HOUR_MS
from jobstore.deleting import delete_model
from jobstore.hosting import put_to_sleep
from tests.support.samples import MONTH, TEAM
from tests.support.together_wire import refusal
from tests.workers.hosting.bench import (
    LONG,
    LOOK,
    MODEL,
    PRICE,
    STOP,
    age,
    asking,
    confirm,
    deployed,
    go_to,
    is_posted,
    now,
    spend,
)
from workers.perform import perform
from workers.stages.hosting_end import ASKED_HASH, STOPPING_TAKES_MS

if TYPE_CHECKING:
    import redis

    from jobstore.records import Ref
    from jobstore.store import Store
    from tests.support.together_server import TogetherServer
    from workers.workshop import Workshop


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
    prompt = asking(shop, hosted)
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
    prompt = asking(shop, hosted)
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


@pytest.fixture
def classifier(shop: Workshop, store: Store, asked: Ref) -> Ref:
    """A job whose model waits to be hosted, with four rows held out."""
    names = ["yes", "no", "yes", "no"]
    lines = [
        {"messages": [{"role": "user", "content": f"ticket {number}"}, {"role": "assistant", "content": name}]}
        for number, name in enumerate(names)
    ]
    rows, _ = shop.blobs.put(TEAM, [(json.dumps(line) + "\n").encode() for line in lines])
    labels = tuple(Label(text=name, rows=10) for name in ("yes", "no"))
    contract, _ = shop.blobs.put(TEAM, [msgspec.json.encode(PromptContract(kind="chat", labels=labels))])
    record = now(store, asked)
    return store.transition(record, record.state, record.having(valid_blob=rows, contract=contract)).ref


def test_model_whose_host_ends_soon_is_not_measured_beyond_its_hours(
    shop: Workshop, store: Store, classifier: Ref
) -> None:
    """What was confirmed is the most that it may cost, also where the host took almost all of it to start."""
    confirm(store, classifier)
    go_to(shop, classifier, "probing")
    age(store, classifier, HOUR_MS - 5 * 60_000)
    perform(shop, classifier)

    assert now(store, classifier).state == "hosted"
    assert now(store, classifier).data.evaluation is None


def test_hosted_classifier_is_measured_once_on_rows_that_were_held_out(
    shop: Workshop, store: Store, server: TogetherServer, classifier: Ref
) -> None:
    asked = classifier
    confirm(store, asked)
    hosted = go_to(shop, asked, "hosted")

    assert (hosted.data.evaluation.right, hosted.data.evaluation.scored) == (2, 4)
    assert {body["model"] for body in server.serving.asked} == {hosted.data.stay.model}
    assert store.spend(TEAM, MONTH) == (PRICE, 0.0)  # answers cost nothing besides the hour
    put_to_sleep(store, hosted, "U2")
    go_to(shop, asked, "asleep")
    said = len(server.serving.asked)
    confirm(store, asked)
    again = go_to(shop, asked, "hosted")
    assert again.data.evaluation == hosted.data.evaluation
    assert len(server.serving.asked) == said + 1  # the probe alone
