"""Rows that stand in two files: what was trained on measures nothing."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import msgspec

from finetune.formats.example import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_encode = msgspec.json.Encoder(order="deterministic").encode


def shared_rows(train: Iterable[bytes], valid: Iterable[bytes]) -> list[int]:
    """Return the numbers (from 1) of the lines of `valid` that stand in `train` as well, however they are written.

    Compared are the values of the JSON, with compatible characters, letter case and blanks made alike.
    """
    known = {_key(line) for line in train}
    return [number for number, line in enumerate(valid, start=1) if _key(line) in known]


def _key(line: bytes) -> int:
    try:
        text = _encode(msgspec.json.decode(line)).decode()
    except (msgspec.MsgspecError, ValueError, RecursionError):
        text = line.decode(errors="replace")
    return key_of(" ".join(unicodedata.normalize("NFKC", text).casefold().split()).encode())
