"""What the lines of a log are about: one reference, from Slack's event to the post that answers it.

The reference is the record's own name ("dataset:d12", "job:j42"), which is also what people see. Whoever takes a
record up says so here, and `tuneroom.logs` writes it into every line until they are done, libraries' lines included. A
listener knows Slack's event before there is a record: it begins with that, and the line "record.new" names both.
"""

from __future__ import annotations

import contextlib
import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from jobstore.comparisons import Comparison
from jobstore.jobs import Job
from jobstore.records import Dataset, Prompt

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from jobstore.records import AnyData, Record, Ref

log = logging.getLogger(__name__)

_NOTHING: Final[Mapping[str, str]] = {}
_subject: ContextVar[Mapping[str, str]] = ContextVar("subject", default=_NOTHING)


def begin(**fields: str) -> None:
    """Say what this thread works on from now on, in place of what it worked on before; empty fields are left out."""
    _subject.set(_filled(fields))


@contextlib.contextmanager
def about(team: str, ref: str, **fields: str) -> Generator[None]:
    """Say which record ("job:j42") is worked on, until the end of the block; empty fields are left out."""
    token = _subject.set(_filled({"team": team, "ref": ref, **fields}))
    try:
        yield
    finally:
        _subject.reset(token)


def _filled(fields: Mapping[str, str]) -> Mapping[str, str]:
    return {name: value for name, value in fields.items() if value}


def subject() -> Mapping[str, str]:
    """Return what the line being written is about; ids only."""
    return _subject.get()


def recorded(ref: Ref, data: AnyData, *, is_new: bool) -> None:
    """Log the first line about a record: where it is, and what it came from; `record.seen` where it was there."""
    name = "record.new" if is_new else "record.seen"
    log.info(name, extra={"team": ref.team, "ref": ref.member, "of": _origin(data)})


def moved(record: Record[Any], to: str, *, version: int) -> None:
    """Log a transition; an amendment, such as a poll's, only when everything is logged."""
    level = logging.DEBUG if to == record.state else logging.INFO
    where = {"team": record.ref.team, "ref": record.ref.member}
    log.log(level, "record.moved", extra=where | {"from": record.state, "to": to, "version": version})


def _origin(data: AnyData) -> str:
    match data:
        case Dataset():
            return data.file_id
        case Job():
            return f"dataset:{data.request.dataset}"
        case Prompt() | Comparison():
            return f"job:{data.job}"
