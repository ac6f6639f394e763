"""Saves what a provider still has of fine-tunes; what is saved already stays, and what is gone is said."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from finetune.errors import OperationalError
from finetune.results import decoded
from tuneroom.rescue.listing import printable
from tuneroom.rescue.shelf import safe
from workers.provider import ErrorKind, ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tuneroom.rescue.listing import FineTune
    from tuneroom.rescue.shelf import Saved, Shelf
    from workers.archive import Archive

Value = TypeVar("Value")

TRIES: Final = 3
WAIT_S: Final = 1.0
WAIT_MAX_S: Final = 60.0
ROLES: Final = ("training file", "validation file")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSaved:
    """What could not be saved of a fine-tune, and why. `is_gone`: it never will be; else the next try may do it."""

    provider: str
    run: str
    what: str
    code: str
    why: str
    is_gone: bool


@dataclass(slots=True)
class Tally:
    """What came of it. `training`: where the training rows are, with the runs that learnt them, newest first."""

    saved: int = 0
    bytes: int = 0
    had: int = 0
    not_saved: list[NotSaved] = field(default_factory=list[NotSaved])
    training: dict[str, list[FineTune]] = field(default_factory=dict[str, "list[FineTune]"])
    seen: set[str] = field(default_factory=set[str])

    def add(self, kept: Saved) -> Saved:
        """Count what was saved just now."""
        self.seen.add(kept.path)
        self.saved += 1
        self.bytes += kept.size_bytes
        return kept

    def found(self, kept: Saved) -> Saved:
        """Count what was there before, once: several fine-tunes may share a file."""
        self.had += kept.path not in self.seen
        self.seen.add(kept.path)
        return kept


class UnreachableError(Exception):
    """The provider cannot be reached any more: the rest would be in vain."""


class Saving:
    """Saves one provider's fine-tunes. `rest` waits between tries."""

    def __init__(
        self, archive: Archive, shelf: Shelf, tally: Tally, rest: Callable[[float], None] = time.sleep
    ) -> None:
        self._archive = archive
        self._shelf = shelf
        self._tally = tally
        self._rest = rest

    def save(self, tune: FineTune) -> None:
        """Save everything about one; UnreachableError where it makes no sense to go on with others."""
        self._tries(tune, "run.json", lambda: self._describe(tune))
        for file, role in zip(tune.run.files, ROLES, strict=False):
            kept = self._tries(tune, role, lambda file=file: self._rows(tune, file))
            if kept and role == ROLES[0]:
                self._tally.training.setdefault(kept.path, []).append(tune)
        for number, file in enumerate(self._results_of(tune), start=1):
            self._tries(tune, "result file", lambda file=file, number=number: self._results(tune, file, number))
        self._tries(tune, "events.jsonl", lambda: self._history(tune))
        if tune.run.model:
            self._tries(tune, "checkpoints.json", lambda: self._checkpoints(tune))

    def _tries(self, tune: FineTune, what: str, save: Callable[[], Saved]) -> Saved | None:
        try:
            return patiently(save)
        except ProviderError as error:
            why = f"{error.message} {printable(error.said)}".strip()
            self._miss(tune, what, error.code, why, is_gone=error.kind is ErrorKind.MISSING)
            if error.code == "unreachable":
                raise UnreachableError from error
        except OperationalError as error:
            self._miss(tune, what, "unreadable", str(error), is_gone=False)
        return None

    def _miss(self, tune: FineTune, what: str, code: str, why: str, *, is_gone: bool) -> None:
        self._tally.not_saved.append(
            NotSaved(provider=tune.provider, run=tune.run.id, what=what, code=code, why=why, is_gone=is_gone)
        )

    def _once(self, tune: FineTune, path: str, blocks: Callable[[], Iterable[bytes]]) -> Saved:
        """Save what a run says, unless it is there and cannot have changed."""
        had = self._shelf.find(path) if tune.is_over else None
        if had:
            return self._tally.found(had)
        return self._tally.add(self._shelf.keep(path, blocks()))

    def _describe(self, tune: FineTune) -> Saved:
        def blocks() -> Iterator[bytes]:
            found = self._archive.described(tune.run)
            facts = {"provider": tune.provider, "run": asdict(tune.run), "result_files": list(found.result_files)}
            yield json.dumps({**facts, "said": found.said}, indent=2, default=str).encode()

        return self._once(tune, f"{folder_of(tune)}/run.json", blocks)

    def _results_of(self, tune: FineTune) -> list[str]:
        kept = self._shelf.find(f"{folder_of(tune)}/run.json")
        if kept is None:
            return [tune.run.result_file] if tune.run.result_file else []
        value: dict[str, Any] = json.loads((self._shelf.folder / kept.path).read_bytes())
        return list(value["result_files"])

    def _rows(self, tune: FineTune, file: str) -> Saved:
        """Save a file of rows once, however many runs it was used by; it may be larger than the memory."""
        had = self._shelf.find(file=file)
        if had:
            return self._tally.found(had)
        stored = self._archive.stored(file)
        name = f"{file}-{stored.name}" if stored.name else file
        blocks = _whole(self._archive.blocks(file), stored.size_bytes)
        return self._tally.add(self._shelf.keep(f"{safe(tune.provider)}/files/{safe(name)}", blocks, file=file))

    def _results(self, tune: FineTune, file: str, number: int) -> Saved:
        """Save a result file as the CSV that it is; as it is, where it is none."""
        path = f"{folder_of(tune)}/results{'' if number == 1 else f'-{number}'}"
        had = self._shelf.find(file=file)
        if had:
            return self._tally.found(had)
        content = self._archive.results(file)
        try:
            return self._tally.add(self._shelf.keep(f"{path}.csv", [decoded(content)], file=file))
        except OperationalError:
            self._tally.add(self._shelf.keep(f"{path}.bin", [content]))
            raise

    def _history(self, tune: FineTune) -> Saved:
        def blocks() -> Iterator[bytes]:
            for event in self._archive.events(tune.run):
                yield json.dumps(event, default=str).encode() + b"\n"

        return self._once(tune, f"{folder_of(tune)}/events.jsonl", blocks)

    def _checkpoints(self, tune: FineTune) -> Saved:
        def blocks() -> Iterator[bytes]:
            yield json.dumps(list(self._archive.checkpoints(tune.run)), indent=2, default=str).encode()

        return self._once(tune, f"{folder_of(tune)}/checkpoints.json", blocks)


def folder_of(tune: FineTune) -> str:
    """Return where a fine-tune is saved, below the folder of all."""
    name = f"{tune.run.suffix}-{tune.run.id}" if tune.run.suffix else tune.run.id
    return f"{safe(tune.provider)}/{safe(name)}"


def patiently(call: Callable[[], Value], rest: Callable[[float], None] = time.sleep) -> Value:
    """Return what a call gives; one that may go well by itself is tried three times. Reading twice costs nothing."""
    for left in reversed(range(TRIES)):
        try:
            return call()
        except ProviderError as error:
            if error.is_final or not left:
                raise
            rest(min(WAIT_MAX_S, max(WAIT_S * (TRIES - left), error.retry_after_s or 0.0)))
    raise AssertionError


def _whole(blocks: Iterable[bytes], size_bytes: int | None) -> Iterator[bytes]:
    """Yield a file's blocks; ProviderError where there are fewer bytes than the provider said."""
    seen = 0
    for block in blocks:
        seen += len(block)
        yield block
    if size_bytes is not None and seen < size_bytes:
        message = f"The provider gave {seen:,} of {size_bytes:,} bytes."
        raise ProviderError(ErrorKind.RETRY, "cut-off", message, "Run the command again.")
