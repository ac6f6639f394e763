"""What a provider still has of fine-tunes that exist: as it tells it itself, where the adapter can, to be kept."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence

    from workers.provider import Provider, Run

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file at the provider: the name it was uploaded by, "" where that is not told, and its size, None likewise."""

    name: str = ""
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """All that a provider says of a run, as JSON values in its own words, and the ids of the run's result files."""

    said: Mapping[str, Any]
    result_files: tuple[str, ...] = ()


class Archive(Protocol):
    """Reads, and nothing else: no method creates, changes or deletes. Every method raises ProviderError only.

    Events and checkpoints are JSON values in the provider's own words, so that nothing it says is lost.
    """

    def described(self, run: Run) -> Description:
        """Return all that the provider says of a run."""
        ...

    def events(self, run: Run) -> Sequence[Mapping[str, Any]]:
        """Return a run's whole history, oldest first."""
        ...

    def checkpoints(self, run: Run) -> Sequence[Mapping[str, Any]]:
        """Return a run's checkpoints; none where there is no such thing."""
        ...

    def stored(self, file: str) -> StoredFile:
        """Return what is known of a file; ErrorKind.MISSING where it is gone."""
        ...

    def blocks(self, file: str) -> Iterable[bytes]:
        """Yield the bytes of a file of rows, a block at a time."""
        ...

    def results(self, file: str) -> bytes:
        """Return a result file as the provider gives it (perhaps as base64)."""
        ...


@runtime_checkable
class Archived(Protocol):
    """A provider whose adapter has an archive of its own."""

    @property
    def archive(self) -> Archive:
        """What it still has."""
        ...


class PortArchive:
    """The archive of any other provider: what the port tells. `wait` ends a coroutine of the port."""

    def __init__(self, provider: Provider, wait: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self._provider = provider
        self._wait = wait

    def described(self, run: Run) -> Description:
        """Return a run's fields as the port has them."""
        files = (run.result_file,) if run.result_file else ()
        return Description(said=dataclasses.asdict(run), result_files=files)

    def events(self, run: Run) -> Sequence[Mapping[str, Any]]:
        """Return the events of the port."""
        found: Any = self._wait(self._provider.events(run.id, since_ms=0))
        return [dataclasses.asdict(event) for event in found]

    def checkpoints(self, run: Run) -> Sequence[Mapping[str, Any]]:
        """Return name and step of each."""
        return [dataclasses.asdict(point) for point in self._provider.checkpoints(run.id)]

    def stored(self, file: str) -> StoredFile:  # noqa: ARG002 - the port tells nothing of a file
        """Return that nothing is known."""
        return StoredFile()

    def blocks(self, file: str) -> Iterable[bytes]:
        """Yield it in one piece."""
        yield self._provider.download(file)

    def results(self, file: str) -> bytes:
        """Return it as the port does."""
        return self._provider.download(file)


def archive_of(provider: Provider, wait: Callable[[Coroutine[Any, Any, Any]], Any]) -> Archive:
    """Return a provider's archive, the best there is."""
    return provider.archive if isinstance(provider, Archived) else PortArchive(provider, wait)
