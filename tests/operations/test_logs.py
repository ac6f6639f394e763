"""A line of the log says what it is about, and never quotes a secret or a row."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jobstore import trace
from jobstore.records import Ref
from jobstore.states import Kind
from tests.support.samples import TEAM, a_dataset, a_job, a_prompt
from tuneroom.logs import HIDDEN, JsonLines
from tuneroom.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobstore.store import Store

ROW = "my-row-about-a-customer"
SECRET = "xoxb-very-secret"


def line(record: logging.LogRecord, *secrets: str) -> dict[str, Any]:
    return json.loads(JsonLines(secrets).format(record))


def record(event: str = "happened", error: BaseException | None = None, **extra: Any) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "bot.sender", "levelno": logging.INFO, "levelname": "INFO", "msg": event})
    made.exc_info = (type(error), error, error.__traceback__) if error else None
    for key, value in extra.items():
        setattr(made, key, value)
    return made


def raised(act: Callable[[], Any]) -> BaseException:
    try:
        act()
    except BaseException as error:  # noqa: BLE001 - whatever it is, that is what is looked at
        return error
    pytest.fail("it should have raised")


def test_every_line_names_the_record_that_is_worked_on() -> None:
    with trace.about(TEAM, "job:j1", delivery="card:job:j1"):
        inside = line(record())
    assert (inside["team"], inside["ref"], inside["delivery"]) == (TEAM, "job:j1", "card:job:j1")
    assert "ref" not in line(record())


def test_what_a_line_says_itself_goes_before_what_is_worked_on() -> None:
    with trace.about(TEAM, "job:j1"):
        assert line(record(ref="job:j2"))["ref"] == "job:j2"


def test_time_is_told_in_utc_to_the_millisecond() -> None:
    made = record()
    made.created = 0.25
    assert line(made)["at"] == "1970-01-01T00:00:00.250+00:00"


def test_an_exception_is_told_by_type_and_place_without_the_row_it_quotes() -> None:
    error = raised(lambda: float(ROW))
    assert ROW in str(error)
    told = line(record(error=error))["error"]
    assert told[0]["type"] == "builtins.ValueError"
    assert "test_logs.py" in told[0]["at"][-1]
    assert ROW not in json.dumps(told)


def test_the_cause_of_an_exception_is_told_as_well() -> None:
    def fail() -> None:
        try:
            {}[ROW]
        except KeyError as error:
            raise OSError(28, "No space left on device") from error

    told = line(record(error=raised(fail)))["error"]
    assert [one["type"] for one in told] == ["builtins.OSError", "builtins.KeyError"]
    assert "No space left" in told[0]["message"]
    assert "message" not in told[1]


@pytest.mark.parametrize("place", ["event", "field", "exception"])
def test_a_secret_is_hidden_wherever_it_stands(place: str) -> None:
    made = {
        "event": lambda: record(f"connecting with {SECRET}"),
        "field": lambda: record(headers={"authorization": f"Bearer {SECRET}"}),
        "exception": lambda: record(error=raised(Path("/nowhere", SECRET).read_text)),
    }[place]()
    text = JsonLines([SECRET]).format(made)
    assert SECRET not in text
    assert HIDDEN in text


def test_secrets_of_the_settings_are_known_password_of_redis_included() -> None:
    settings = Settings.read(
        {
            "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_SIGNING_SECRET": "sign",
            "OPENAI_API_KEY": "sk-1", "REDIS_URL": "redis://:p%40ss@redis:6379/0",
        }
    )  # fmt: skip
    assert settings.secrets == {"xoxb-1", "xapp-1", "sign", "sk-1", "p%40ss", "p@ss"}
    assert Settings().secrets == frozenset()


def test_the_first_line_about_a_record_says_where_it_came_from(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "jobstore.trace"):
        store.record(TEAM, a_dataset(), dedupe="same", event={"type": "DatasetReceived"})
        store.record(TEAM, a_dataset(), dedupe="same", event={"type": "DatasetReceived"})
        store.record(TEAM, a_job(), dedupe="", event={"type": "JobConfirmed"})
        store.record(TEAM, a_prompt(), dedupe="", event={"type": "PromptAsked"})
    told = [(made.message, vars(made)["ref"], vars(made)["of"]) for made in caplog.records]
    assert told == [
        ("record.new", "dataset:d1", "F1"),
        ("record.seen", "dataset:d1", "F1"),
        ("record.new", "job:j1", "dataset:d1"),
        ("record.new", "prompt:p1", "job:j1"),
    ]


def test_every_move_is_logged_and_an_amendment_only_when_all_is(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    store.record(TEAM, a_dataset(), dedupe="", event={"type": "DatasetReceived"})
    found = store.get(Ref(TEAM, Kind.DATASET, "d1"))
    assert found is not None
    with caplog.at_level(logging.INFO, "jobstore.trace"):
        store.transition(store.transition(found, "received", found.data), "fetching", found.data)
    told = [(made.message, vars(made)["from"], vars(made)["to"]) for made in caplog.records]
    assert told == [("record.moved", "received", "fetching")]


def test_what_nobody_catches_is_one_line_that_quotes_nothing() -> None:
    program = f"from tuneroom import logs; logs.configure('INFO'); float({ROW!r})"
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    told = json.loads(done.stderr)
    assert (told["level"], told["event"], told["error"][0]["type"]) == ("critical", "uncaught", "builtins.ValueError")
    assert ROW not in done.stderr


def test_a_library_that_raises_its_own_level_is_not_listened_to() -> None:
    program = (
        "import logging; from tuneroom import logs; logs.configure('DEBUG')\n"
        "bolt = logging.getLogger('slack_bolt.App'); bolt.setLevel(logging.DEBUG)\n"
        f"bolt.debug({ROW!r}); bolt.warning('wrong'); logging.getLogger('bot.sender').debug('ours')"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["wrong", "ours"]
