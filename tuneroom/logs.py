"""Structured logs: one JSON object a line, a static event name and its fields; ids, never rows or secrets."""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from finetune.errors import OperationalError
from jobstore.connections import UNAVAILABLE
from jobstore.trace import subject

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

log = logging.getLogger(__name__)

STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
NOISY: Final = (
    "slack_bolt", "slack_sdk", "openai", "httpx2", "httpcore2", "together", "httpx", "httpcore", "rq", "matplotlib",
    "websocket",
)  # fmt: skip
# what these say is about code, files and connections; any other message may quote a row, a prompt or an answer
PLAIN: Final = (OperationalError, OSError, ImportError, AttributeError, TypeError, NotImplementedError, *UNAVAILABLE)
FRAMES_MAX: Final = 20
HIDDEN: Final = "[hidden]"


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON, in which none of `secrets` stands."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: time (UTC), level, process, event, what it is about, and what was given as `extra`."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": record.process,
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= subject()
        line |= {key: value for key, value in vars(record).items() if key not in STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = described(record.exc_info[1])
        return hidden(json.dumps(line, default=str, ensure_ascii=False), self._secrets)


def described(error: BaseException) -> list[dict[str, Any]]:
    """Return an exception and its causes as data: type and place, and the message where it cannot quote a row."""
    found: list[dict[str, Any]] = []
    one: BaseException | None = error
    while one is not None and len(found) < FRAMES_MAX:
        frames = traceback.extract_tb(one.__traceback__)[-FRAMES_MAX:]
        said: dict[str, Any] = {"type": f"{type(one).__module__}.{type(one).__qualname__}"}
        said |= {"message": str(one)} if isinstance(one, PLAIN) else {}
        found.append(said | {"at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]})
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return found


def hidden(text: str, secrets: Iterable[str]) -> str:
    """Return text without any of `secrets`, whichever library put it there."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def configure(level: str, secrets: Iterable[str] = ()) -> None:
    """Log to standard error; libraries that would log payloads only speak up when something is wrong."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(secrets))
    handler.addFilter(_is_told)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    sys.excepthook = _log_the_end
    threading.excepthook = lambda told: _log_the_end(told.exc_type, told.exc_value, told.exc_traceback)


def _is_told(record: logging.LogRecord) -> bool:
    """Leave out what libraries say when nothing is wrong: whole payloads. Bolt sets its loggers' levels itself."""
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] not in NOISY


def _log_the_end(kind: type[BaseException], error: BaseException | None, at: TracebackType | None) -> None:
    """Log what nobody caught as one line, too: a plain traceback would quote whatever the exception quotes."""
    if error is None or not issubclass(kind, Exception):
        sys.__excepthook__(kind, error or kind(), at)
        return
    log.critical("uncaught", exc_info=(kind, error, at))
