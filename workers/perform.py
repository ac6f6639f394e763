"""One task: claim the record, do the stage it stands in, commit, ring for the next."""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Any, Final

from jobstore.connections import UNAVAILABLE
from jobstore.faults import reach
from jobstore.refusals import Refusal
from jobstore.states import TABLES, Actor, Kind, state_of
from jobstore.store import StaleError
from jobstore.trace import about
from workers.heartbeat import Heartbeat
from workers.provider import ProviderError
from workers.stages import STAGES, answer, compare, create, endings, hosting, versions

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobstore.records import Record, Ref
    from workers.workshop import Workshop

    Ending = Callable[[Workshop, Record[Any], Refusal], Record[Any]]

log = logging.getLogger(__name__)

ENDINGS: Final[dict[Kind, Ending]] = {
    Kind.DATASET: versions.refuse,
    Kind.PROMPT: answer.fail,
    Kind.COMPARISON: compare.fail,
}
"""How records end badly whose states do not matter to that."""


def perform(shop: Workshop, ref: Ref) -> None:
    """Do the stage that a record stands in, if it stands in one and nobody else is at it."""
    with about(ref.team, ref.member):
        _perform(shop, ref)


def _perform(shop: Workshop, ref: Ref) -> None:
    states = [name for name, state in TABLES[ref.kind].items() if state.actor is Actor.WORKER]
    record = shop.store.claim(ref, states, int(shop.timings.lease_s * 1000))
    if record is None:
        return
    reach("task.claimed")
    with Heartbeat(shop.store, record, shop.timings.lease_s):
        after = _attempt(shop, record)
    if after is not None and state_of(ref.kind, after.state).actor is Actor.WORKER:
        shop.doorbell.ring(ref)


def _attempt(shop: Workshop, record: Record[Any]) -> Record[Any] | None:
    try:
        return STAGES[record.ref.kind, record.state](shop, record)
    except StaleError as error:
        log.info("stage.stale", extra={"ref": record.ref.member, "reason": str(error)})
    except UNAVAILABLE:
        log.warning("redis.unavailable", extra={"ref": record.ref.member})  # the lease lapses, and it is rung again
    except ProviderError as error:
        return _provider_failed(shop, record, error)
    except Exception:
        log.exception("stage.failed", extra={"ref": record.ref.member, "state": record.state})
        return _we_failed(shop, record)
    return None


def _latest(shop: Workshop, record: Record[Any]) -> Record[Any] | None:
    """The record as the stage's own amendments left it, with the same lease; None where it has gone on."""
    now = shop.store.get(record.ref)
    if now is None or now.state not in {record.state, "answering"}:
        return None
    return dataclasses.replace(now, token=record.token)


def _provider_failed(shop: Workshop, record: Record[Any], error: ProviderError) -> Record[Any] | None:
    log.info("provider.error", extra={"ref": record.ref.member, "code": error.code, "kind": error.kind.value})
    latest = _latest(shop, record)
    if latest is None:
        return None
    if error.is_final or (latest.attempts >= shop.timings.retries_max and not _may_be_paid(latest)):
        return _end(shop, latest, endings.refusal_of(shop, latest.ref.team, error))
    wait_ms = shop.timings.retry_in_ms(latest.attempts, error.retry_after_s)
    if latest.ref.kind is Kind.JOB:
        latest = endings.note(shop, latest, f"{error.message} {error.hint}")
    shop.store.release(latest, due_in_ms=wait_ms)
    return None


def _may_be_paid(record: Record[Any]) -> bool:
    """Whether a paid request may have gone out that nobody has found again: it is looked up for as long as it takes."""
    match record.state:
        case "creating":
            return bool(record.data.intent and record.data.intent.posted_ms)
        case "deploying":
            stay = record.data.open_stay
            return bool(stay and (stay.host or (stay.intent and stay.intent.posted_ms)))
        case _:
            return False


def _we_failed(shop: Workshop, record: Record[Any]) -> Record[Any] | None:
    latest = _latest(shop, record)
    if latest is None:
        return None
    if latest.attempts < shop.timings.retries_max:
        shop.store.release(latest, due_in_ms=shop.timings.retry_in_ms(latest.attempts))
        return None
    reference = f"{latest.ref.id}-{latest.version}"
    log.error("stage.given_up", extra={"ref": latest.ref.member, "reference": reference})
    message = f"Something failed on our side (ref {reference})."
    return _end(shop, latest, Refusal(code="internal", message=message, hint="Tell whoever runs me this reference."))


def _end(shop: Workshop, record: Record[Any], refusal: Refusal) -> Record[Any] | None:
    """End a record badly; a job whose run is paid for is never failed, only tried again, slowly."""
    if record.ref.kind in ENDINGS:
        return ENDINGS[record.ref.kind](shop, record, refusal)
    if record.state == "creating":
        return create.end_badly(shop, record, refusal)
    if record.state == "deploying":
        return hosting.end_badly(shop, record, refusal)
    if "failed" in record.at.to:
        return endings.fail(shop, record, refusal)
    shop.store.release(record, due_in_ms=int(shop.timings.retry_max_s * 1000))
    return None
