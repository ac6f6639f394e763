"""The folder that fine-tunes are saved into, over as many runs of the command as it takes.

`saved.jsonl` has a line for each file that is whole: its path, size and hash, and the provider's id of it. What is not
in it, or no longer as it says, is saved anew; a line that was cut off by a crash is as if it were not there.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from finetune.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BLOCK_BYTES: Final = 1024 * 1024
NAME_MAX: Final = 100
_SAFE: Final = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{NAME_MAX - 1}}}(?<!\.)")
_DEVICES: Final = re.compile(r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A file in the folder. `id`: what the provider calls it, "" for what is no file there."""

    path: str
    size_bytes: int
    sha256: str
    id: str = ""


class Shelf:
    """What is saved below `folder`; UserError where it cannot be written there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ledger = folder / "saved.jsonl"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # it will hold rows
            self._saved = {one.path: one for one in self._read()}
        except OSError as error:
            raise _unwritable(folder, error) from error
        self._by_id = {one.id: one for one in self._saved.values() if one.id}

    def find(self, path: str = "", *, file: str = "") -> Saved | None:
        """Return a file that is still there as it was saved, by its path or the provider's id."""
        known = self._by_id.get(file) if file else self._saved.get(path)
        return known if known and _is_whole(self.folder / known.path, known) else None

    def keep(self, path: str, blocks: Iterable[bytes], *, file: str = "") -> Saved:
        """Save bytes as they come, beside and then renamed, so that a name that exists is whole."""
        target = self.folder / path
        beside = target.with_name(target.name + ".part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            digest, size = hashlib.sha256(), 0
            with beside.open("wb") as out:
                for block in blocks:
                    digest.update(block)
                    size += len(block)
                    out.write(block)
                out.flush()
                os.fsync(out.fileno())
            beside.replace(target)
            saved = Saved(path=path, size_bytes=size, sha256=digest.hexdigest(), id=file)
            with self._ledger.open("a", encoding="utf-8") as ledger:
                ledger.write(json.dumps(asdict(saved)) + "\n")
        except OSError as error:
            raise _unwritable(target, error) from error
        finally:
            beside.unlink(missing_ok=True)
        self._saved[path] = saved
        if file:
            self._by_id[file] = saved
        return saved

    def keep_json(self, path: str, value: Any) -> Saved:
        """Save a JSON value."""
        return self.keep(path, [(json.dumps(value, indent=2) + "\n").encode()])

    def _read(self) -> Iterable[Saved]:
        if not self._ledger.exists():
            return
        with self._ledger.open("rb+") as ledger:
            for line in ledger:
                try:
                    yield msgspec.json.decode(line, type=Saved)
                except msgspec.MsgspecError:
                    continue
            _end_line(ledger)


def _end_line(ledger: Any) -> None:
    """What follows a line that was cut off must not become part of it."""
    if ledger.tell():
        ledger.seek(-1, os.SEEK_END)
        if ledger.read(1) != b"\n":
            ledger.write(b"\n")


def _is_whole(path: Path, known: Saved) -> bool:
    try:
        if path.stat().st_size != known.size_bytes:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == known.sha256
    except OSError:
        return False


def _unwritable(path: Path, error: OSError) -> UserError:
    hint = "Name another folder with --out; what is saved there already stays."
    return UserError("folder-not-written", f"{path} cannot be written: {error.strerror}.", hint)


def safe(text: str) -> str:
    """Return a name for any file system: the text itself where it is one, else one like it, with a hash of the text.

    Letters outside of ASCII are replaced: file systems differ in how they compare them.
    """
    if _SAFE.fullmatch(text) and not _DEVICES.fullmatch(text):
        return text
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[: NAME_MAX - 9].rstrip("-._")
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    stem, dot, ending = plain.rpartition(".")
    if dot and stem and len(ending) <= 8:  # it still opens with what it is
        return f"{stem}-{mark}.{ending}"
    return f"{plain}-{mark}" if plain else mark
