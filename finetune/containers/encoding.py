"""The encoding of a text that does not say it: recognised from its bytes, and turned into UTF-8 on the way in."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SAMPLE_BYTES: Final = 64 * 1024
"""How much text, from the first line that is not ASCII on, is looked at."""

LIKELY: Final = 0.6
"""From this share on of characters that fit a script, bytes that are not UTF-8 are read as that script's encoding."""

HEAD_BYTES: Final = 4096
"""How much of the file's beginning is looked at for marks and zeros."""

_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32", "utf-32-be"),
    (b"\xff\xfe", "utf-16", "utf-16-le"),
    (b"\xfe\xff", "utf-16", "utf-16-be"),
)
_LANGUAGES: Final = {"cp949": "Korean", "cp932": "Japanese"}


@dataclass(frozen=True, slots=True)
class Encoding:
    """A text's encoding by Python's name, the bytes of its mark, and why it was taken where that is not certain.

    `codec` is Python's name of it for what follows the mark.
    """

    name: str
    mark: bytes = b""
    codec: str = ""
    doubt: str = ""


class Utf8Blocks:
    """The blocks of a text as UTF-8 without a mark, whatever they were in.

    Bytes that are wrong in the text's own encoding stay as they are, so that they are wrong in UTF-8 too and are found
    on their row. `encoding` is known once a first block was read, and certain once all were.
    """

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self.encoding = Encoding("utf-8")
        self._blocks = (block for block in blocks if block)

    def __iter__(self) -> Iterator[bytes]:
        head = _gather(self._blocks, b"", HEAD_BYTES)
        self.encoding = marked(head) or self.encoding
        head = head.removeprefix(self.encoding.mark)
        if self.encoding == Encoding("utf-8"):
            while head.isascii():
                yield head
                head = next(self._blocks, b"")
                if not head:
                    return
            start = _first_foreign(head)
            head = _gather(self._blocks, head, start + SAMPLE_BYTES)
            self.encoding = recognise(head[start : start + SAMPLE_BYTES])
        blocks = chain((head,), self._blocks)
        yield from blocks if self.encoding.name.startswith("utf-8") else self._converted(blocks)

    def _converted(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        errors = "surrogatepass" if self.encoding.name.startswith("utf-") else "surrogateescape"
        decoder = codecs.getincrementaldecoder(self.encoding.codec)(errors)
        for block in chain(blocks, (b"",)):
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError:  # only UTF-16 and UTF-32 come here; what they cannot say is wrong in UTF-8 too
                decoder.errors = "replace"
                text = decoder.decode(block, final=not block).replace("\ufffd", "\udcff")
                decoder.errors = errors
            yield text.encode("utf-8", errors)


def marked(head: bytes) -> Encoding | None:
    """Return the encoding that a file's first bytes say or cannot but have, None where they may be anything."""
    for mark, name, codec in _MARKS:
        if head.startswith(mark):
            return Encoding(name, mark, codec)
    sample = head[: min(len(head), HEAD_BYTES) & ~1]
    zeros = [sample[parity::2].count(0) for parity in (0, 1)]
    if len(sample) >= 8 and max(zeros) * 20 >= len(sample) and min(zeros) == 0:
        name = "utf-16-be" if zeros[0] else "utf-16-le"
        return Encoding(
            name, codec=name, doubt="The text has no byte order mark; it was read as UTF-16, which its zeros speak for."
        )
    return None


def recognise(sample: bytes) -> Encoding:
    """Return the encoding of a text that is not ASCII and begins with `sample`: UTF-8, cp949 or cp932.

    Where some lines are UTF-8 and fewer are not, it is UTF-8, and those are found one by one. Otherwise it is that of
    the two whose characters are the everyday ones of its language; UTF-8 where neither's are.
    """
    if _is_utf8(sample):
        return Encoding("utf-8")
    shares = {name: _share(sample, name) for name in _LANGUAGES}
    best = max(shares, key=lambda name: shares[name])
    if shares[best] < LIKELY:
        return Encoding("utf-8")
    language = _LANGUAGES[best]
    doubt = f"The text is not UTF-8; it was read as {language} ({best}), in which it makes ordinary {language} text."
    return Encoding(best, codec=best, doubt=f"{doubt} Save it as UTF-8 if the characters come out wrong.")


def _is_utf8(sample: bytes) -> bool:
    lines = sample.split(b"\n")
    good = bad = 0
    for number, line in enumerate(lines, start=1):
        if line.isascii():
            continue
        try:
            codecs.getincrementaldecoder("utf-8")().decode(line, final=number < len(lines))
        except UnicodeDecodeError:
            bad += 1
        else:
            good += 1
    return good >= bad


def _share(sample: bytes, name: str) -> float:
    """Return how much of the text that is not ASCII is everyday text of the encoding's language, less what is odd."""
    decoder = codecs.getincrementaldecoder(name)("surrogateescape")
    foreign = [character for character in decoder.decode(sample) if not character.isascii()]
    everyday, odd = (_everyday_korean(), _odd_korean) if name == "cp949" else (_everyday_japanese(), _odd_japanese)
    good = sum(character in everyday for character in foreign)
    bad = sum(odd(character) for character in foreign)
    return (good - bad) / len(foreign) if foreign else 0.0


@cache
def _everyday_korean() -> frozenset[str]:
    """Return the 2,350 syllables of KS X 1001, and its signs."""
    return _characters("euc_kr", [*range(0xA1, 0xA4), *range(0xB0, 0xC9)])


@cache
def _everyday_japanese() -> frozenset[str]:
    """Return the signs, kana and 2,965 first-level kanji of JIS X 0208."""
    return _characters("euc_jp", [0xA1, 0xA3, 0xA4, 0xA5, *range(0xB0, 0xD0)])


def _characters(name: str, leads: list[int]) -> frozenset[str]:
    pairs = (bytes((lead, trail)).decode(name, "ignore") for lead in leads for trail in range(0xA1, 0xFF))
    return frozenset(character for character in pairs if len(character) == 1)


def _odd_korean(character: str) -> int:
    return 3 if "\udc80" <= character <= "\udcff" else int("\u4e00" <= character <= "\u9fff")


def _odd_japanese(character: str) -> int:
    # Half a character's width katakana is what Korean looks like as Japanese; U+E000 is where nothing is.
    if "\udc80" <= character <= "\udcff":
        return 3
    return int("\uff61" <= character <= "\uff9f" or "\ue000" <= character <= "\uf8ff")


def _gather(blocks: Iterator[bytes], first: bytes, enough: int) -> bytes:
    parts, size = [first], len(first)
    while size < enough and (block := next(blocks, b"")):
        parts.append(block)
        size += len(block)
    return b"".join(parts)


def _first_foreign(content: bytes) -> int:
    return len(content) - len(content.lstrip(bytes(range(128))))
