"""A stray key must never cost money: what the sandbox's children see of the environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tuneroom.cli import main
from tuneroom.sandbox_services import Plan, Running, child_environment
from tuneroom.sandbox_table import ready_text
from tuneroom.settings import Settings
from tuneroom.supervisor import Supervisor

if TYPE_CHECKING:
    import pytest

STRAY = {
    "PATH": "/bin",
    "OPENAI_API_KEY": "sk-real",
    "OPENAI_BASE_URL": "https://real",
    "OPENAI_ORG_ID": "org-real",
    "SLACK_BOT_TOKEN": "xoxb-real",
    "SLACK_CONFIG": "real",
    "REDIS_URL": "redis://real",
    "TUNEROOM_CAP_RUN_USD": "3",
    "TUNEROOM_TOGETHER_API_KEY": "tk-real",
}


def plan(real: str = "", home: Path = Path("/nowhere")) -> Plan:
    return Plan(
        home=home, port=0, real=frozenset(filter(None, real.split(","))), settings=Settings(), environment=STRAY
    )


def test_nothing_real_reaches_a_child_unasked() -> None:
    seen = child_environment(plan(), {})
    assert not [name for name in seen if "real" in seen[name]]
    assert seen["PATH"] == "/bin"


def test_ones_own_limits_do() -> None:
    assert child_environment(plan(), {})["TUNEROOM_CAP_RUN_USD"] == "3"


def test_only_the_service_that_was_asked_for_is_real() -> None:
    seen = child_environment(plan("openai"), {"REDIS_URL": "unix:///own"})
    assert (seen["OPENAI_API_KEY"], seen["OPENAI_BASE_URL"]) == ("sk-real", "https://real")
    assert seen["REDIS_URL"] == "unix:///own"
    assert "SLACK_BOT_TOKEN" not in seen


def test_what_is_found_and_not_used_is_said_without_its_value(tmp_path: Path) -> None:
    running = Running(
        page="http://page", trainer_url="http://t/v1", trainer_key="k", redis="r", supervisor=Supervisor()
    )
    text = ready_text(plan(home=tmp_path), running, "a dataset is waiting.")
    assert "OPENAI_API_KEY is set and not used; --real openai would use it." in text
    assert "SLACK_BOT_TOKEN is set and not used; --real slack would use it." in text
    assert "TUNEROOM_TOGETHER_API_KEY is set and not used; --real together would use it." in text
    assert "sk-real" not in text
    assert "Open http://page: a dataset is waiting. ctrl-C ends everything." in text
    assert text.count("stand-in") >= 3


def test_an_unknown_service_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sandbox", "--real", "mail"]) == 64
    assert "--real does not know mail. It takes slack, openai, redis, azure," in capsys.readouterr().err


def test_a_play_is_never_real(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sandbox", "--play", "--real", "openai"]) == 64
    assert "--play never uses real services." in capsys.readouterr().err
