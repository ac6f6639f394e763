"""What the tests of hosting do: confirm a stay, perform until a state, look at the money."""

from __future__ import annotations

import dataclasses
import fnmatch
from typing import TYPE_CHECKING, Any, Final

from finetune.hosting import HostRequest
from jobstore.hosting import host, next_number
from jobstore.money import Account, Reservation
from tests.support.samples import CHANNEL, MONTH, TEAM, a_prompt, recorded
from tests.support.together_server import DEPLOY
from tests.support.waiting import wait_for
from workers.perform import perform
from workers.workshop import Timings

if TYPE_CHECKING:
    import redis

    from jobstore.records import Record, Ref
    from jobstore.stays import Stay
    from jobstore.store import Store
    from tests.support.together_server import TogetherServer
    from workers.workshop import Workshop

MODEL: Final = "acme/support-bot"
PRICE: Final = 3.99
STOP: Final = ("PATCH", "/v2/projects/*/deployments/*")
LOOK: Final = ("GET", "/v2/projects/*/deployments/*")
LONG: Final = Timings(lease_s=30, create_deadline_s=10, lookup_grace_s=60, retry_base_s=0, poll_min_s=0, poll_max_s=0)
SHORT: Final = dataclasses.replace(LONG, create_deadline_s=0.5, lookup_grace_s=0.5)
ACCOUNTS: Final = (Account(name="person:U2"), Account(name=f"channel:{CHANNEL}"))


def confirm(store: Store, ref: Ref, *, hours: int = 1, usd: float = PRICE, **caps: int) -> Ref:
    """Confirm a stay as U2, who did not start the job."""
    record = now(store, ref)
    request = HostRequest(
        job=ref.id, provider="together", model=MODEL, hours=hours, usd_per_hour=usd, number=next_number(record.data)
    )
    micros = round(request.most_usd * 1_000_000)
    return host(store, record, request, "U2", reserving(micros, **caps)).ref


def reserving(micros: int, **caps: int) -> Reservation:
    """A reservation of U2's, under caps that hold anything unless they are given."""
    most = {"run_cap_micros": 10**9, "month_cap_micros": 10**9} | caps
    return Reservation(month=MONTH, micros=micros, accounts=ACCOUNTS, **most)


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
