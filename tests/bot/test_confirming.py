"""A confirmation is of exactly what was sent, and of that once."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest

from bot.confirming import confirm
from bot.desk import Caps, Desk
from bot.form_values import first_values
from bot.launching import launch_of
from bot.offer import Offer
from finetune.catalogue import Catalogue
from finetune.errors import UserError
from finetune.permissions import Person, Policy
from finetune.report import PriceRange, Report, Tokens
from jobstore.blobs import Blobs
from jobstore.connections import connect_rq
from jobstore.doorbell import Doorbell
from jobstore.states import Kind
from tests.support.samples import CHANNEL, TEAM, a_dataset, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobstore.store import Store

MODEL = {"name": "base-1", "provider": "acme", "context": 4096, "methods": ["supervised"], "formats": ["chat"],
         "training_usd_per_million": 3, "input_usd_per_million": 1, "output_usd_per_million": 2}  # fmt: skip
MINA = Person(id="UMINA", team=TEAM, name="Mina")


@pytest.fixture
def offer(store: Store, redis_url: str, tmp_path: Path) -> Iterator[Offer]:
    """A checked dataset that costs $0.30 an epoch, under caps of $1 a run and $1.50 a month."""
    unused: Any = None
    with connect_rq(redis_url) as bells:
        desk = Desk(
            store=store, outbox=unused, blobs=Blobs(str(tmp_path)), doorbell=Doorbell(bells),
            catalogue=Catalogue.load(json.dumps({"models": [MODEL]}).encode()), models=("base-1",),
            providers={"acme": ""}, policy=Policy(), caps=Caps(run_usd=1, month_usd=1.5), max_file_bytes=1, api_url="",
            lease_s=1, slack_timeout_s=1, listen=unused,
        )  # fmt: skip
        ref = recorded(store, a_dataset(sha256="ab" * 32))
        dataset = store.get(ref)
        assert dataset is not None
        report = Report(
            format="chat", rows=600, examples=600, tokens=Tokens(total=100_000), epochs=3,
            price_usd={"base-1": PriceRange(0.9, 0.9)}, findings=(), prices_as_of="2026-11-15",
        )  # fmt: skip
        yield Offer(desk, dataset, report)


def send(offer: Offer, *, once: str = "view:V1", **changes: str) -> str:
    """Confirm the form with some fields changed; return the job's handle."""
    launch = launch_of(offer, first_values(offer) | changes)
    return confirm(offer, launch, MINA, once=once).id


def test_form_that_is_sent_twice_is_one_job(offer: Offer, store: Store) -> None:
    """As where the answer was lost: it may be sent again as it is."""
    assert send(offer, epochs="2") == send(offer, epochs="2")
    assert len(store.listed(TEAM, Kind.JOB, CHANNEL)) == 1


def test_form_that_was_changed_after_its_answer_was_lost_starts_nothing_else_unsaid(offer: Offer, store: Store) -> None:
    """What was started is what was confirmed first; whoever changed the form since must hear of it."""
    first = send(offer, epochs="2")
    with pytest.raises(UserError, match=f"{first} was started by this form already"):
        send(offer, epochs="1")
    (job,) = store.listed(TEAM, Kind.JOB, CHANNEL)
    assert (job.data.request.epochs, job.data.reserved_micros) == (2, 600_000)
    assert job.data.digest == job.data.request.digest()


def test_what_is_held_is_what_the_digest_was_quoted(offer: Offer, store: Store) -> None:
    job = send(offer, epochs="3")
    record = store.listed(TEAM, Kind.JOB, CHANNEL)[0]
    assert record.ref.id == job
    assert [store.spend(TEAM, record.data.month, name) for name in ("", *record.data.accounts)] == [(0.9, 0.0)] * 3
    (entry,) = store.audit(TEAM)
    assert (entry["digest"], entry["micros"], entry["on"]) == (record.data.digest, 900_000, record.ref.member)


@pytest.mark.parametrize(
    ("epochs", "once", "code"), [("4", "view:V2", "over-run-cap"), ("3", "view:V2", "over-month-cap")]
)
def test_form_over_a_cap_starts_nothing(offer: Offer, store: Store, epochs: str, once: str, code: str) -> None:
    send(offer, epochs="3")
    with pytest.raises(UserError) as refused:
        send(offer, epochs=epochs, once=once)
    assert refused.value.code == code
    assert len(store.listed(TEAM, Kind.JOB, CHANNEL)) == 1


@pytest.mark.parametrize("field", ["epochs", "seed", "batch", "lr", "holdout", "cap"])
@pytest.mark.parametrize("text", ["nan", "inf", "-1", "1e309", "１", "٣", "0x1", "1_0", "1 0", "--"])  # noqa: RUF001
def test_number_that_is_none_is_said_beside_its_field_and_starts_nothing(
    offer: Offer, store: Store, field: str, text: str
) -> None:
    with pytest.raises(UserError):
        send(offer, **{field: text})
    assert store.listed(TEAM, Kind.JOB, CHANNEL) == []


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_price_that_is_the_persons_own_cap_to_the_cent_is_not_over_it(offer: Offer, epochs: int) -> None:
    """What is held is rounded up to a cent, and never a cent more for how a computer writes tenths."""
    with pytest.raises(UserError, match="more than the"):
        send(offer, epochs=str(epochs), cap=f"{0.3 * epochs - 0.01:.2f}")
    assert send(offer, epochs=str(epochs), cap=f"{0.3 * epochs:.2f}")


@pytest.fixture
def measured(offer: Offer) -> Offer:
    """Rows whose answers can be right or wrong: the model is asked about those held out, for at most $0.20."""
    report = dataclasses.replace(offer.report, task="extraction")
    desk = dataclasses.replace(offer.desk, evaluation_rows=200, evaluation_usd=0.2)
    return dataclasses.replace(offer, desk=desk, report=report)


def test_what_asking_the_model_may_cost_is_held_with_its_run(measured: Offer, store: Store) -> None:
    send(measured, epochs="2")
    (job,) = store.listed(TEAM, Kind.JOB, CHANNEL)
    assert (job.data.reserved_micros, job.data.asking_micros) == (600_000, 200_000)
    assert [store.spend(TEAM, job.data.month, name) for name in ("", *job.data.accounts)] == [(0.8, 0.0)] * 3
    with pytest.raises(UserError, match=r"may cost \$0.80, and \$0.70 is left"):
        send(measured, epochs="2", once="view:V2")


def test_model_that_is_not_asked_holds_nothing_for_it(measured: Offer, store: Store) -> None:
    send(measured, epochs="2", holdout="0")
    (job,) = store.listed(TEAM, Kind.JOB, CHANNEL)
    assert (job.data.asking_micros, job.data.held_micros) == (0, 600_000)


def test_rows_checked_by_an_older_price_table_are_quoted_by_todays(offer: Offer, store: Store) -> None:
    """What is charged is today's price: a cap that held the old one would hold too little."""
    cheap = dataclasses.replace(offer.report, prices_as_of="2026-01-01", price_usd={"base-1": PriceRange(0.09, 0.09)})
    send(dataclasses.replace(offer, report=cheap), epochs="2")
    (job,) = store.listed(TEAM, Kind.JOB, CHANNEL)
    assert job.data.reserved_micros == 690_000  # 100,000 tokens twice at $3 a million, and 15% for a count of its own
    assert job.data.request.quote.prices_as_of == offer.desk.catalogue.as_of.isoformat()
