"""Records, deliveries and requests that tests begin from; name only what the test is about."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from finetune.launch import Quote, TrainRequest
from jobstore.comparisons import Comparison, Side
from jobstore.deliveries import Delivery, Rank, Shape
from jobstore.jobs import Job
from jobstore.records import Dataset, Prompt

if TYPE_CHECKING:
    from jobstore.money import Reservation
    from jobstore.records import AnyData, Ref
    from jobstore.store import Store

TEAM = "T1"
CHANNEL = "C1"
MONTH = "2026-11"
RECORDED = {"type": "Recorded"}


def a_quote(**changes: Any) -> Quote:
    """A quote of 1 to 2 dollars."""
    quote = Quote(low_usd=1.0, high_usd=2.0, epochs=3, tokens=40_000, prices_as_of="2026-11-01")
    return dataclasses.replace(quote, **changes)


def a_request(**changes: Any) -> TrainRequest:
    """A complete request."""
    request = TrainRequest(
        dataset="d1",
        sha256="ab" * 32,
        format="chat",
        provider="local",
        model="tiny",
        suffix="support-bot",
        seed=7,
        epochs=3,
        batch_size=None,
        learning_rate_multiplier=None,
        holdout_percent=10,
        quote=a_quote(),
    )
    return dataclasses.replace(request, **changes)


def a_dataset(**changes: Any) -> Dataset:
    """A file just dropped."""
    dataset = Dataset(channel=CHANNEL, person="U1", message_ts="1.1", file_id="F1", filename="tickets.jsonl")
    return dataclasses.replace(dataset, **changes)


def a_job(**changes: Any) -> Job:
    """A job just confirmed."""
    request = a_request()
    job = Job(
        channel=CHANNEL,
        person="U1",
        request=request,
        digest=request.digest(),
        contract="cd" * 32,
        month=MONTH,
        confirmed_ms=1,
        reserved_micros=2_000_000,
        title="support-bot",
    )
    return dataclasses.replace(job, **changes)


def a_prompt(**changes: Any) -> Prompt:
    """A prompt just asked."""
    prompt = Prompt(channel=CHANNEL, person="U1", job="j1", text="ef" * 32, model="ft:tiny")
    return dataclasses.replace(prompt, **changes)


def a_side(**changes: Any) -> Side:
    """A model to compare, by its base's price."""
    side = Side(job="", model="tiny", provider="local", base="tiny", contract="cd" * 32, most_usd=1.0)
    return dataclasses.replace(side, **changes)


def a_comparison(**changes: Any) -> Comparison:
    """A comparison of a job's model with its base, just confirmed."""
    comparison = Comparison(
        channel=CHANNEL,
        person="U1",
        job="j1",
        against="base",
        digest="ab" * 32,
        month=MONTH,
        confirmed_ms=1,
        reserved_micros=2_000_000,
        plan="ef" * 32,
        rows=20,
        tuned=a_side(job="j1", model="ft:tiny"),
        other=a_side(),
    )
    return dataclasses.replace(comparison, **changes)


def a_delivery(name: str, **changes: Any) -> Delivery:
    """A milestone post in the usual channel."""
    delivery = Delivery(id=name, channel=CHANNEL, kind=Shape.POST, view="note", ref="dataset:d1", rank=Rank.MILESTONE)
    return dataclasses.replace(delivery, **changes)


def recorded(
    store: Store,
    data: AnyData | None = None,
    *,
    dedupe: str = "",
    deliveries: tuple[Delivery, ...] = (),
    reserve: Reservation | None = None,
) -> Ref:
    """Record something and return where it is."""
    event = RECORDED
    return store.record(TEAM, data or a_job(), dedupe=dedupe, event=event, deliveries=deliveries, reserve=reserve)[0]
