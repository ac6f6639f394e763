"""A provider's webhooks: only what it signed is read, and the run it tells of is looked at now."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import httpx2
import pytest
from starlette.applications import Starlette

from bot import signed_http
from jobstore.keys import runs_hash
from jobstore.states import Actor
from jobstore.store import Mark
from tests.support.samples import TEAM, a_job, recorded
from workers import webhooks

if TYPE_CHECKING:
    from jobstore.records import Ref
    from jobstore.store import Store

KEY: Final = b"a key of thirty-two bytes or so."
SECRET: Final = "whsec_" + base64.b64encode(KEY).decode()
HOUR_MS: Final = 3_600_000


def told(run: str = "ftjob-7", kind: str = "fine_tuning.job.succeeded") -> bytes:
    event = {"id": "evt_1", "object": "event", "created_at": int(time.time()), "type": kind, "data": {"id": run}}
    return json.dumps(event).encode()


def signed(body: bytes, *, key: bytes = KEY, at: int | None = None) -> dict[str, str]:
    timestamp = str(int(time.time()) if at is None else at)
    mac = hmac.new(key, b"wh_1." + timestamp.encode() + b"." + body, hashlib.sha256)
    signature = "v1," + base64.b64encode(mac.digest()).decode()
    return {"webhook-id": "wh_1", "webhook-timestamp": timestamp, "webhook-signature": signature}


def followed(store: Store, run: str) -> Ref:
    """A job whose run is looked at again in an hour."""
    ref = recorded(store, a_job(run=run))
    record: Any = store.get(ref)
    for state in ("uploading", "creating", "queued"):
        record = store.transition(record, state, record.data)
    mark = Mark(hash=runs_hash("openai"), field=run, value=ref.id)
    store.transition(record, "training", record.data, marks=[mark], due_in_ms=HOUR_MS)
    return ref


def post(store: Store, body: bytes, headers: dict[str, str], *, secret: str = SECRET) -> int:
    """Send a webhook to the bot's address for it; return the status of the answer."""
    read = webhooks.reader(secret) if secret else None
    desk: Any = SimpleNamespace(store=store, providers={"openai": ""}, read_webhook=read)
    slack: Any = None

    async def send() -> int:
        transport = httpx2.ASGITransport(app=Starlette(routes=signed_http.routes(slack, desk)))
        async with httpx2.AsyncClient(transport=transport, base_url="http://bot") as client:
            return (await client.post("/provider/events", content=body, headers=headers)).status_code

    return asyncio.run(send())


def test_run_that_is_told_of_is_due_now(store: Store) -> None:
    ref, other = followed(store, "ftjob-7"), followed(store, "ftjob-8")
    body = told("ftjob-7")

    assert store.due(TEAM, Actor.FOLLOWER) == []
    assert post(store, body, signed(body)) == 200
    assert store.due(TEAM, Actor.FOLLOWER) == [ref]
    assert other not in store.due(TEAM, Actor.FOLLOWER)


@pytest.mark.parametrize("headers", [
    signed(told(), key=b"another"), signed(told("ftjob-8")), signed(told(), at=1_700_000_000), {},
], ids=["another-key", "another-body", "long-ago", "none"])  # fmt: skip
def test_what_the_provider_did_not_sign_changes_nothing(store: Store, headers: dict[str, str]) -> None:
    followed(store, "ftjob-7")

    assert post(store, told(), headers) == 401
    assert store.due(TEAM, Actor.FOLLOWER) == []


def test_there_is_no_such_address_without_a_secret(store: Store) -> None:
    assert post(store, told(), signed(told()), secret="") == 404


def test_run_of_somebody_else_and_other_news_are_let_pass(store: Store) -> None:
    followed(store, "ftjob-7")
    for body in (told("ftjob-of-others"), told("ftjob-7", kind="batch.completed"), told(kind="a.new.kind")):
        assert post(store, body, signed(body)) == 200
    assert store.due(TEAM, Actor.FOLLOWER) == []


@pytest.mark.parametrize("body", [
    b'{"type": "fine_tuning.job.failed", "data": null}', b'{"type": "a.new.kind"}', b'{"type": 7, "data": {"id": "r"}}',
    b'{"type": "fine_tuning.job.failed", "data": {"id": 7}}', b'{"data": "text"}', b"[]", b"null", b"{",
], ids=repr)  # fmt: skip
def test_signed_news_that_is_about_no_run_is_let_pass(store: Store, body: bytes) -> None:
    """Refused or answered by a failure, the provider would tell it again and again for days."""
    assert post(store, body, signed(body)) == 200


def test_run_that_is_being_looked_at_is_left_to_whoever_looks(store: Store) -> None:
    ref = followed(store, "ftjob-7")
    assert store.claim(ref, ["training"], HOUR_MS) is not None
    body = told("ftjob-7")

    assert post(store, body, signed(body)) == 200
    assert store.due(TEAM, Actor.FOLLOWER) == []
