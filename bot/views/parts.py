"""The parts of a split dataset: what each is for, and how they were divided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mrkdwn import Mrkdwn, bold, code, join, mrkdwn
from bot.views import words
from bot.views.blocks import section
from bot.views.message import Message, message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from finetune.splitting.division import Parts
    from jobstore.records import Dataset, Made, Record

_WHAT_FOR: Final = {
    "train": mrkdwn("train on"),
    "valid": mrkdwn("validate with while it trains"),
    "test": mrkdwn("test the finished model with"),
}
_NAMES: Final = {"train": "training rows", "valid": "validation rows", "test": "test rows"}


def split_asked(dataset: Record[Dataset], handles: Mapping[str, str], *, is_new: bool) -> Message:
    """A split was asked for: what its parts are called, and how to train with them."""
    named = [
        mrkdwn("{id} to {what}", id=bold(handles[part]), what=_WHAT_FOR[part]) for part in _WHAT_FOR if part in handles
    ]
    verb = mrkdwn("Splitting") if is_new else mrkdwn("That split is there already:")
    text = mrkdwn("{verb} {id}: {parts}.", verb=verb, id=bold(dataset.ref.id), parts=join(", ", named))
    line = f"/tune train {handles['train']}" + (f" valid={handles['valid']}" if "valid" in handles else "")
    return message(text, section(text), section(mrkdwn("To train with them: {line}", line=code(line))))


def part_name(made: Made) -> Mrkdwn:
    """Return what a part is called before its rows are known."""
    return mrkdwn("the {part} of *{file}*", part=_name(made), file=words.name(made.source_name))


def part_lines(made: Made, parts: Parts | None) -> list[Mrkdwn]:
    """Return what a part's card begins with."""
    head = mrkdwn(
        "*{part}* of *{file}* ({parent}), which is untouched.",
        part=_name(made).capitalize(),
        file=words.name(made.source_name),
        parent=words.handle(made.parent),
    )
    return [head] if parts is None else [head, part_sentence(parts), *_kept_together(parts)]


def part_sentence(parts: Parts) -> Mrkdwn:
    """Return how many rows a part has, and where the others went."""
    others = [
        mrkdwn("{count} to {what}", count=f"{count:,}", what=_WHAT_FOR[part])
        for part, count in (("train", parts.train_rows), ("valid", parts.valid_rows), ("test", parts.test_rows))
        if count and part != parts.part
    ]
    return mrkdwn(
        "{own} of {all}; {others}. Drawn with seed {seed}{classes}.",
        own=f"{parts.own_rows:,}",
        all=words.plural(parts.rows, "row"),
        others=join(", ", others),
        seed=parts.seed,
        classes=mrkdwn(", in proportion from {count}", count=words.plural(parts.classes, "label"))
        if parts.classes > 1
        else mrkdwn(""),
    )


def _name(made: Made) -> str:
    return _NAMES.get(made.part, "rows")


def _kept_together(parts: Parts) -> list[Mrkdwn]:
    said: list[Mrkdwn] = []
    if parts.alike:
        said.append(mrkdwn("{rows} resemble another one, and stay on its side.", rows=words.plural(parts.alike, "row")))
    if parts.parted:
        rows = words.plural(parts.parted, "row")
        said.append(mrkdwn("{rows} are of one template, so the parts resemble one another there.", rows=rows))
    if parts.one_in > 1:
        said.append(
            mrkdwn("Of {count} rows, one was compared with others for near-duplicates.", count=f"{parts.one_in:,}")
        )
    return said
