"""A backup taken as docs/operate.md says, while the server runs, and restored elsewhere."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from bot.slack_errors import classify
from jobstore.connections import connect
from jobstore.outbox import Outcome
from jobstore.records import Ref, newer
from jobstore.states import Kind
from jobstore.store import Store
from tests.support.samples import TEAM, recorded
from tests.support.valkey import contents
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.valkey import Server


def test_a_copy_of_the_files_of_a_running_server_restores_every_record(private_valkey: Callable[[], Server]) -> None:
    server, elsewhere = private_valkey(), private_valkey()
    store = Store(connect(server.url))
    for _ in range(50):
        recorded(store)
    with server.client() as client:
        client.bgrewriteaof()
        client.config_set("auto-aof-rewrite-percentage", 0)
        wait_for(lambda: not client.info("persistence")["aof_rewrite_in_progress"])
        before = contents(client)
        elsewhere.kill()
        shutil.rmtree(elsewhere._folder / "appendonlydir")
        shutil.copytree(server._folder / "appendonlydir", elsewhere._folder / "appendonlydir")
    elsewhere.start()
    with elsewhere.client() as restored:
        assert contents(restored) == before
    assert Store(connect(elsewhere.url)).get(Ref(TEAM, Kind.JOB, "j50")) is not None


def test_a_message_about_a_newer_record_waits_for_a_newer_bot() -> None:
    failure = classify(newer(Ref(TEAM, Kind.JOB, "j1"), 99))
    assert (failure.outcome, failure.reason) == (Outcome.AGAIN, "ours"), (
        "an attempt that does not count never ends dead"
    )
