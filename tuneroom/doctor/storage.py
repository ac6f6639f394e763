"""The blob store: whether bytes can be written and read back, by everybody, and whether there is room."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from jobstore.blobs import BlobMissingError, Blobs
from jobstore.gauges import newest_datasets
from jobstore.records import Ref
from jobstore.states import Kind
from jobstore.store import Store
from tuneroom.doctor.verdict import Verdict, ok, warning, wrong

if TYPE_CHECKING:
    from jobstore.connections import Redis
    from tuneroom.settings import Settings

TEAM: Final = "doctor"
MARK: Final = b"tuneroom doctor was here\n"
LOOKED_AT: Final = 5
GIB: Final = 2**30
FULL_BYTES: Final = GIB // 4


def examine(settings: Settings, redis: Redis | None) -> list[Verdict]:
    """Write, read, look for what others wrote, and measure the room that is left."""
    verdicts = [_written(settings.blob_url), *(_shared(settings.blob_url, redis) if redis is not None else [])]
    folder = local_folder(settings.blob_url)
    if folder is not None:
        verdicts += [*_relative(settings.blob_url), _room("disk of the blobs", folder, settings)]
    return [*verdicts, _room("disk for temporary files", Path(tempfile.gettempdir()), settings)]


def local_folder(url: str) -> Path | None:
    """Return the directory that a blob URL means, None for one on another machine."""
    if url.startswith("file://"):
        return Path(urlsplit(url).path)
    return None if "://" in url else Path(url)


def _written(url: str) -> Verdict:
    place = url.rpartition("@")[2]
    try:
        blobs = Blobs(url)
        sha256, _ = blobs.put(TEAM, [MARK])
        same = blobs.read(TEAM, sha256) == MARK
    except Exception as error:  # noqa: BLE001 - a missing library, a right, a disk: all of them are what was found
        mend = (
            "Set TUNEROOM_BLOB_URL to a directory this user may write, or to an fsspec URL with its library installed."
        )
        return wrong("blob store", f"{place} cannot be used: {type(error).__name__}: {str(error)[:150]}", mend)
    if not same:
        return wrong("blob store", f"{place} did not give back what was written.", "Use another store.")
    return ok("blob store", f"{place} takes bytes and gives them back.")


def _shared(url: str, redis: Redis) -> list[Verdict]:
    """Whether the bytes of the newest datasets, which some bot stored, can be read from here."""
    store = Store(redis)
    looked, missing = 0, list[str]()
    for team in store.teams():
        for name in newest_datasets(redis, team, LOOKED_AT):
            record = store.get(Ref(team, Kind.DATASET, name))
            if record is None or not record.data.sha256:
                continue
            looked += 1
            try:
                Blobs(url).open(team, record.data.sha256).close()
            except (BlobMissingError, OSError):
                missing.append(name)
    if missing:
        found = f"of the newest {looked} datasets, the bytes of {', '.join(missing)} are not here."
        mend = "Bot and worker must share one blob store; unless they were deleted, this is not the one they use."
        return [wrong("blob store, shared", found, mend)]
    return [ok("blob store, shared", f"the bytes of the newest {looked} datasets are here.")] if looked else []


def _relative(url: str) -> list[Verdict]:
    if Path(url).is_absolute() or url.startswith("file://"):
        return []
    mend = "Set TUNEROOM_BLOB_URL to an absolute path that bot and workers share, or to s3://BUCKET/PATH."
    return [warning("blob store, place", f"{url} is another directory wherever a process is started from.", mend)]


def _room(subject: str, folder: Path, settings: Settings) -> Verdict:
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(there).free
    found = f"{free / GIB:,.1f} GB free at {there}."
    if free < FULL_BYTES:
        return wrong(subject, found, "Make room: files cannot be fetched or prepared.")
    if free < 4 * settings.max_file_mb * 2**20:
        return warning(subject, found, "Make room: the largest file allowed needs about four times its size.")
    return ok(subject, found)
