"""Slack's message markup as a type: the one place where text that somebody else wrote is escaped.

A `Mrkdwn` is only ever made here, from a template that stands in our source (`LiteralString`, so a type checker
refuses a formatted one) and values that are escaped unless they are `Mrkdwn` themselves. Blocks take nothing else, so
forgetting to escape is a type error, and escaping twice cannot happen.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import LiteralString

_KEY: Final = object()
# An escape or a reference is one piece: half of one would be shown as rubbish, or read as something else.
_PIECES: Final = re.compile(r"&(?:amp|lt|gt);|<[^<>]*>|.", re.DOTALL)
_ZERO_WIDTH_SPACE: Final = "\u200b"
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"
# Control characters, and those that reorder what stands around them: "\u202e" makes "gpj.exe" read as "exe.jpg".
_UNSEEN: Final = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Slack has no escape for these. At the edge of a word they format; inside one ("my_data.csv") they do nothing.
_MARKS: Final = re.compile(r"(?<!\w)[*_~]|[*_~](?!\w)")
_MARK_LOOKALIKES: Final = {"*": "\u2217", "~": "\u223c", "_": f"{_ZERO_WIDTH_SPACE}_{_ZERO_WIDTH_SPACE}"}
_EMOJI_NAME: Final = re.compile(r":(?=[\w+'-]+:)")
_BROADCAST: Final = re.compile(r"@(?=channel|here|everyone)", re.IGNORECASE)
_USER_ID: Final = re.compile(r"[UW][A-Z0-9]{1,20}")


class Mrkdwn:
    """Text in Slack's markup that is safe to send. Made by the functions of this module only."""

    __slots__ = ("_text",)
    _text: str

    def __init__(self, text: str, key: object = None) -> None:
        if key is not _KEY:
            raise TypeError('Mrkdwn is made by mrkdwn("*{name}* is ready", name=...), which escapes what it is given.')
        self._text = text

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"<Mrkdwn {self._text!r}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mrkdwn) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text.strip())

    def clipped(self, limit: int) -> Mrkdwn:
        """Return at most `limit` characters, ended by "…" where cut, never in the middle of an escape or mention."""
        if width(self._text) <= limit:
            return self
        kept: list[str] = []
        left = limit - 1
        for piece in _PIECES.findall(self._text):
            left -= width(piece)
            if left < 0:
                break
            kept.append(piece)
        return _made("".join(kept).rstrip() + "…")


EMPTY: Final = Mrkdwn("", _KEY)


def mrkdwn(template: LiteralString, /, **values: str | int | Mrkdwn) -> Mrkdwn:
    """Return `template` with its `{names}` filled in: text is escaped, numbers get thousands separators."""
    return _made(template.format_map({name: str(as_mrkdwn(value)) for name, value in values.items()}))


def as_mrkdwn(value: str | int | Mrkdwn) -> Mrkdwn:
    """Return a value as `mrkdwn` would fill it in."""
    if isinstance(value, Mrkdwn):
        return value
    return _made(f"{value:,}" if isinstance(value, int) else _escaped(value))


def bold(value: str | int | Mrkdwn) -> Mrkdwn:
    """Return a value in bold; nothing stays nothing."""
    inner = as_mrkdwn(value)
    return _made(f"*{inner}*") if inner else EMPTY


def prose(text: str) -> Mrkdwn:
    """Return sentences of our own making (a finding, a refusal), escaped; only `names in backticks` are formatted."""
    parts = one_line(text).split("`")
    if len(parts) % 2 == 0:
        return as_mrkdwn(text)
    return _made(
        "".join(str(code(part)) if index % 2 else _escaped_keeping_edges(part) for index, part in enumerate(parts))
    )


def code(text: str) -> Mrkdwn:
    """Return `text` in fixed width, to be read and copied: only what could end it is changed."""
    inner = _entities(one_line(text)).replace("`", "\u02cb")
    return _made(f"`{inner}`") if inner else EMPTY


def mention(user_id: str) -> Mrkdwn:
    """Return a mention, which notifies; what is no user's id is shown as text."""
    return _made(f"<@{user_id}>") if _USER_ID.fullmatch(user_id) else as_mrkdwn(user_id)


def link(url: str, label: str) -> Mrkdwn:
    """Return a link to an http(s) `url`; of any other, the label alone."""
    if urlsplit(url).scheme not in {"http", "https"}:
        return as_mrkdwn(label)
    target = quote(one_line(url), safe=":/?#[]@!$&'()*+,;=%-._~").replace("&", "&amp;")
    said = _escaped(label).replace("|", "\u2223")
    return _made(f"<{target}|{said or target}>")


def date(at_ms: int) -> Mrkdwn:
    """Return a moment (ms since 1970) that every reader sees in their own time zone."""
    fallback = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return _made(f"<!date^{at_ms // 1000}^{{date_short_pretty}} at {{time}}|{fallback}>")


def join(separator: LiteralString, parts: Iterable[Mrkdwn]) -> Mrkdwn:
    """Return the parts that are not empty with `separator` between them."""
    return _made(separator.join(str(part) for part in parts if part))


def lines(*parts: Mrkdwn) -> Mrkdwn:
    """Return the parts that are not empty, one a line."""
    return join("\n", parts)


def quoted(text: str, limit: int) -> Mrkdwn:
    """Return the beginning of `text` as a quotation of one line."""
    return _made(f"&gt; {as_mrkdwn(clip(text, limit))}")


def width(text: str) -> int:
    """Return the length of `text` in UTF-16 units, the larger of the ways to count a character."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def clean(text: str) -> str:
    """Return `text` without what no reader sees: control characters, lone surrogates, reordering characters."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\r\n", "\n")
    return _UNSEEN.sub("", whole)


def one_line(text: str) -> str:
    """Return `text` cleaned, on one line."""
    return " ".join(clean(text.replace("\r", "\n")).split())


def clip(text: str, limit: int) -> str:
    """Return at most `limit` characters of `text`, on one line, ended by "…" where cut."""
    line = one_line(text[: 4 * limit + 100])
    if width(line) <= limit:
        return line
    kept, left = "", limit - 1
    for character in line:
        left -= width(character)
        if left < 0:
            break
        kept += character
    return kept.rstrip() + "…"


def _made(text: str) -> Mrkdwn:
    return Mrkdwn(text, _KEY)


def _entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _escaped_keeping_edges(text: str) -> str:
    before, after = text[:1].isspace(), text[-1:].isspace() and bool(text.strip())
    return f"{' ' if before else ''}{_escaped(text)}{' ' if after else ''}"


def _escaped(text: str) -> str:
    line = _MARKS.sub(lambda mark: _MARK_LOOKALIKES[mark[0]], one_line(text)).replace("`", "\u02cb")
    line = _EMOJI_NAME.sub(":" + _ZERO_WIDTH_SPACE, line)
    line = _BROADCAST.sub("@" + _ZERO_WIDTH_SPACE, line)
    # ">" at the beginning of a line is a quotation even when escaped
    line = (_ZERO_WIDTH_SPACE if line.startswith(">") else "") + _entities(line)
    # text that runs from right to left must not pull our own words into its order
    if not line.isascii() and any(unicodedata.bidirectional(character) in {"R", "AL"} for character in line):
        return f"{_ISOLATE}{line}{_END_ISOLATE}"
    return line
