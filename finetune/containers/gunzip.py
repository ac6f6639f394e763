"""What a gzip archive holds, unpacked as it is read and no further than a dataset goes."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from finetune.containers.lines import BLOCK_BYTES
from finetune.containers.refusal import Refusal, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GZIP_MAGIC: Final = b"\x1f\x8b"
FREE_BYTES: Final = 64 * 1024 * 1024
RATIO_MAX: Final = 200
"""Text packs to a third or a tenth; beyond 64 MB, more than 200 times its packed size is a bomb and no dataset."""

_DAMAGED: Final = Refusal(
    "unknown-format",
    "The gzip archive is damaged or was cut off; what follows cannot be unpacked.",
    "Pack it again and drop the new file, or drop the file unpacked.",
)
_BOMB: Final = Refusal(
    "suspicious-archive",
    f"The archive unpacks to more than {RATIO_MAX} times its size, as archives made to do harm do.",
    "Drop the file unpacked, or in smaller parts.",
)


def gunzip(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the content of a gzip archive of one member or several, in blocks of 4 MiB at most.

    UnreadableError, after what could be unpacked, where it is damaged, cut off or unpacks to absurdly much.
    """
    packed = unpacked = 0
    member = zlib.decompressobj(wbits=31)
    for block in blocks:
        packed += len(block)
        rest = block
        while rest:
            if member.eof:
                rest = rest.lstrip(b"\x00")  # padding between members, as tape drives leave it
                if not rest:
                    break
                member = zlib.decompressobj(wbits=31)
            try:
                piece = member.decompress(rest, BLOCK_BYTES)
            except zlib.error as error:
                raise UnreadableError(_DAMAGED) from error
            rest = member.unused_data if member.eof else member.unconsumed_tail
            unpacked += len(piece)
            if unpacked > FREE_BYTES and unpacked > packed * RATIO_MAX:
                raise UnreadableError(_BOMB)
            if piece:
                yield piece
    if not member.eof:
        raise UnreadableError(_DAMAGED)
