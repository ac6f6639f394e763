"""What a row has in common with others, whatever its format: keys that are equal where two rows belong together."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from finetune.formats.example import key_of
from finetune.formats.foreign import as_chat_of_sharegpt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CONVERSATION_COLUMNS: Final = ("conversation_id", "dialog_id", "dialogue_id", "thread_id", "session_id", "ticket_id")
"""A column of such a name says which conversation a row is of."""

_SET_BY_THE_TEAM: Final = frozenset({"system", "developer"})
_NOT_SAID: Final = frozenset({"role", "type", "from", "id", "name", "tool_call_id", "weight", *CONVERSATION_COLUMNS})
_BETWEEN_WORDS: Final = re.compile(r"[\W_]+")

_encode = msgspec.json.Encoder(order="deterministic").encode

Turn = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Likeness:
    """What one row is like.

    `key` is equal for rows that are the same JSON, `said` for those that say the same in other letters, blanks or
    punctuation, `asked` for those that ask the same, `conversation` for those of one conversation by a column that says
    so; 0 stands for nothing. `talk` is the key of the whole conversation, and `begins` those of its parts that end with
    an earlier reply: rows cut from one conversation have them in common. `text` is what is compared for
    near-duplicates, `answer` what a class is told by.
    """

    key: int
    said: int = 0
    asked: int = 0
    conversation: int = 0
    talk: int = 0
    begins: tuple[int, ...] = ()
    text: str = ""
    answer: str = ""


def likeness_of(line: bytes) -> Likeness:
    """Return what a row is like, given as JSON; what is not JSON is like nothing but its own copies."""
    try:
        row: Any = msgspec.json.decode(line)
        key = key_of(_encode(row))
        return _likeness(key, cast("dict[str, Any]", row)) if isinstance(row, dict) else Likeness(key)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return Likeness(key_of(line.strip()))


def _likeness(key: int, row: dict[str, Any]) -> Likeness:
    turns = [turn for turn in _turns(row) if turn[0] not in _SET_BY_THE_TEAM]
    texts = [text for _, text in turns] if turns else list(_strings(row))
    words = [folded(text) for text in texts]
    ends_with_reply = bool(turns) and turns[-1][0] == "assistant"
    talk, begins = _beginnings([(role, said) for (role, _), said in zip(turns, words, strict=False)])
    return Likeness(
        key,
        said=_key(words),
        asked=_key(words[:-1]) if ends_with_reply else 0,
        conversation=_conversation(row),
        talk=talk,
        begins=begins,
        text=" ".join(texts),
        answer=texts[-1].strip() if ends_with_reply else "",
    )


def folded(text: str) -> str:
    """Return a text without what makes no difference: width, case, punctuation, blanks."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _BETWEEN_WORDS.sub(" ", text.casefold()).strip()


def _turns(row: dict[str, Any]) -> list[Turn]:
    """Return who says what in a row: of a conversation, or of a prompt and its completion."""
    if "conversations" in row:
        row = as_chat_of_sharegpt(row)
    messages = row.get("messages")
    if isinstance(messages, list):
        given = [cast("dict[str, Any]", one) for one in cast("list[Any]", messages) if isinstance(one, dict)]
        return [(str(one.get("role")), "\n".join(_strings(one))) for one in given]
    named = {name.strip().lower(): value for name, value in row.items()} | row
    prompt, completion = named.get("prompt"), named.get("completion")
    if isinstance(completion, str):
        return [("user", prompt if isinstance(prompt, str) else ""), ("assistant", completion)]
    if isinstance(row.get("instruction"), str) and isinstance(row.get("output"), str):
        return [("user", f"{row['instruction']}\n{row.get('input') or ''}"), ("assistant", row["output"])]
    return []


def _strings(value: Any) -> Iterator[str]:
    """Yield every text in a value, in the order in which it stands there."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in cast("dict[str, Any]", value).items():
            if name not in _NOT_SAID:
                yield from _strings(inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _strings(inner)


def _beginnings(said: Sequence[Turn]) -> tuple[int, tuple[int, ...]]:
    """Return the key of a conversation up to its last reply, and those of it up to each reply before."""
    keys: list[int] = []
    so_far = hashlib.blake2b(digest_size=8)
    for role, text in said:
        so_far.update(f"\x1e{role}\x1f{text}".encode())
        if role == "assistant":
            keys.append(int.from_bytes(so_far.digest(), "little"))
    return (keys[-1], tuple(keys[:-1])) if keys else (0, ())


def _conversation(row: dict[str, Any]) -> int:
    found = ((name, row[name]) for name in CONVERSATION_COLUMNS if row.get(name) not in (None, ""))
    name, value = next(found, ("", None))
    return key_of(f"{name}={value}".encode()) if name and isinstance(value, str | int) else 0


def _key(words: Sequence[str]) -> int:
    """Return the key of folded texts, 0 where nothing is said."""
    said = " ".join(filter(None, words))
    return key_of(said.encode()) if said else 0
