"""/healthz says whether the loops get round, /metrics how the record is doing; a real server, asked over HTTP."""

from __future__ import annotations

import json
import re
import socket
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from finetune.errors import UserError
from jobstore.pulse import Pulse
from jobstore.states import TABLES, Kind
from tests.support.ports import free_port
from tests.support.samples import TEAM, recorded
from tuneroom import health, healthy_command
from tuneroom.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobstore.store import Store
    from tests.support.valkey import Server

SAMPLE = re.compile(r'[a-z_]+(\{([a-z]+="(?:[^"\\\n]|\\["\\n])*"(,(?!\}))?)*\})? -?[0-9.e+-]+$')


def settings_on(redis_url: str, port: int | None = None) -> Settings:
    return Settings(redis_url=redis_url, health_port=port or free_port())


def ask(settings: Settings, path: str, process: str = "bot") -> tuple[int, str]:
    address = f"http://127.0.0.1:{health.port_of(settings, process)}{path}"
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def samples(page: str) -> dict[str, float]:
    lines = [line for line in page.splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_three_processes_of_one_machine_have_three_ports() -> None:
    settings = Settings(health_port=9464)
    ports = [health.port_of(settings, process) for process in ("bot", "worker", "follower")]
    assert ports == [9464, 9465, 9466]
    assert health.port_of(Settings(), "bot") == 0


def test_a_process_is_healthy_while_its_loops_get_round(redis_url: str) -> None:
    now = [0.0]
    pulse, settings = Pulse(lambda: now[0]), settings_on(redis_url)
    with health.serving(settings, "bot", pulse):
        assert ask(settings, "/healthz")[0] == 503, "nothing has begun yet"
        pulse.beat("sender-0")
        pulse.beat("fetcher-0")
        assert ask(settings, "/healthz")[0] == 200
        now[0] = 31.0
        pulse.beat("fetcher-0")
        status, said = ask(settings, "/healthz")
    assert (status, json.loads(said)["silent"]) == (503, ["sender-0"])


def test_metrics_tell_of_the_record_in_the_text_format(redis_url: str, store: Store) -> None:
    recorded(store)
    settings, pulse = settings_on(redis_url), Pulse()
    pulse.beat("follower")
    with health.serving(settings, "follower", pulse):
        status, page = ask(settings, "/metrics", "follower")
    assert status == 200
    lines = page.splitlines()
    assert all(SAMPLE.match(line) for line in lines if not line.startswith("#")), page
    named = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert {line.split()[2] for line in lines if line.startswith("# HELP")} == named
    assert {re.split(r"[{ ]", line)[0] for line in lines if not line.startswith("#")} == named
    found = samples(page)
    assert found["tuneroom_redis_up"] == 1
    assert found[f'tuneroom_jobs{{team="{TEAM}",state="requested"}}'] == 1
    assert found[f'tuneroom_jobs{{team="{TEAM}",state="unclear"}}'] == 0
    assert found['tuneroom_healthy{process="follower"}'] == 1
    assert sum("tuneroom_jobs{" in name for name in found) == len(TABLES[Kind.JOB])


def test_without_redis_metrics_still_tell_of_the_process(private_valkey: Callable[[], Server]) -> None:
    server = private_valkey()
    settings, pulse = settings_on(server.url), Pulse()
    server.kill()
    with health.serving(settings, "bot", pulse):
        found = samples(ask(settings, "/metrics")[1])
    assert (found["tuneroom_redis_up"], found['tuneroom_healthy{process="bot"}']) == (0, 0)
    assert not any(name.startswith("tuneroom_due") for name in found)


def test_any_other_path_is_not_there(redis_url: str) -> None:
    settings = settings_on(redis_url)
    with health.serving(settings, "bot", Pulse()):
        assert ask(settings, "/")[0] == 404


def test_a_port_that_is_taken_is_named(redis_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(redis_url=redis_url, health_port=int(taken.getsockname()[1]))
        with (
            pytest.raises(UserError, match="TUNEROOM_HEALTH_PORT") as refused,
            health.serving(settings, "bot", Pulse()),
        ):
            pass
    assert refused.value.code == "health-port"


def test_without_a_port_nothing_listens(redis_url: str) -> None:
    with health.serving(Settings(redis_url=redis_url), "bot", Pulse()):
        pass


def test_a_health_check_asks_the_process_it_names(redis_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    settings, pulse = settings_on(redis_url), Pulse()
    assert healthy_command.run(settings, []) == 1, "nobody answers"
    with health.serving(settings, "worker", pulse):
        assert healthy_command.run(settings, ["worker"]) == 1, "nothing has begun yet"
        pulse.beat("worker-runs")
        assert healthy_command.run(settings, ["worker"]) == 0
        assert healthy_command.run(settings, []) == 0
        assert healthy_command.run(settings, ["worker", "bot"]) == 1
    assert "bot: no answer" in capsys.readouterr().out


@pytest.mark.parametrize(("settings", "processes"), [(Settings(), []), (Settings(health_port=9464), ["trainer"])])
def test_a_health_check_that_cannot_be_made_is_refused(settings: Settings, processes: list[str]) -> None:
    with pytest.raises(UserError):
        healthy_command.run(settings, processes)
