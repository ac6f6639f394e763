"""What a provider that speaks OpenAI's protocol still has of fine-tunes, as it says it; reading only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx2

from workers.archive import Description, StoredFile
from workers.openai_errors import plain_words
from workers.provider import ErrorKind, ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import openai
    from openai import BaseModel

    from workers.provider import Run

BLOCK_BYTES: Final = 1024 * 1024
EVENTS_PAGE: Final = 100
CHECKPOINTS_PAGE: Final = 100


class OpenAIArchive:
    """The archive by the SDK's client of an adapter, and by what the adapter makes of a result file's id."""

    def __init__(self, client: openai.OpenAI, download: Callable[[str], bytes]) -> None:
        self._client = client
        self._download = download

    def described(self, run: Run) -> Description:
        """Return the run's object: method and hyperparameters, seed, files, metadata and all."""
        with plain_words():
            found = self._client.fine_tuning.jobs.retrieve(run.id)
        listed = tuple(found.result_files or ())
        is_made_up = bool(run.result_file) and run.result_file not in listed  # some list weights in their place
        return Description(said=_said(found), result_files=(run.result_file,) if is_made_up else listed)

    def events(self, run: Run) -> Sequence[Mapping[str, Any]]:
        """Return every event's object, all pages, the oldest first."""
        with plain_words():
            found = self._client.fine_tuning.jobs.list_events(run.id, limit=EVENTS_PAGE)
            return [_said(event) for event in found][::-1]

    def checkpoints(self, run: Run) -> Sequence[Mapping[str, Any]]:
        """Return every checkpoint's object; a provider that does not know the address has none."""
        try:
            with plain_words():
                found = self._client.fine_tuning.jobs.checkpoints.list(run.id, limit=CHECKPOINTS_PAGE)
                return [_said(point) for point in found]
        except ProviderError as error:
            if error.kind is ErrorKind.MISSING:
                return []
            raise

    def stored(self, file: str) -> StoredFile:
        """Return the file's name and size."""
        with plain_words():
            found = self._client.files.retrieve(file)
        return StoredFile(name=found.filename or "", size_bytes=found.bytes)

    def results(self, file: str) -> bytes:
        """Return what the adapter has under a result file's id."""
        return self._download(file)

    def blocks(self, file: str) -> Iterable[bytes]:
        """Yield the file's bytes as they come: it may be larger than the memory."""
        try:
            with plain_words(), self._client.files.with_streaming_response.content(file) as answer:
                yield from answer.iter_bytes(BLOCK_BYTES)
        except httpx2.HTTPError as error:  # the SDK translates what goes wrong before the first byte, and no later
            raise ProviderError(
                ErrorKind.RETRY, "cut-off", "The provider stopped in the middle of a file.", "I'm trying again."
            ) from error


def _said(thing: BaseModel) -> Mapping[str, Any]:
    return thing.to_dict(mode="json", warnings=False)  # a value that the SDK does not know is kept, too
