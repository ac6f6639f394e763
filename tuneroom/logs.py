"""Structured logs: one JSON object a line, a static event name and its fields; ids, never rows or secrets."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any, Final

STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: time (UTC), level, process, event, and what was given as `extra`."""
        line: dict[str, Any] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S"),
            "level": record.levelname.lower(),
            "process": record.processName,
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in STANDARD}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def configure(level: str) -> None:
    """Log to standard error; libraries that would log payloads only speak up when something is wrong."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("slack_bolt", "slack_sdk", "openai", "httpx2", "httpcore2", "rq", "matplotlib", "websocket"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
