"""Dividing a file into training, validation and test rows that leak nothing, drawn by a seed, every line as it was."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from finetune.checking.learner import CommonAnswers
from finetune.formats.training_lines import training_lines
from finetune.splitting.drawing import TEST, TRAIN, TRAIN_MIN, VALID, Family, draw
from finetune.splitting.families import Families, Kinship
from finetune.splitting.likeness import likeness_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["TRAIN_MIN", "Split", "hold_out", "split_jsonl", "usual_share"]

VALID_USUALLY: Final = 0.1
VALID_OF_CLASSES: Final = 0.2
VALID_OF_CLASSES_MAX_ROWS: Final = 1_000
ROWS_A_WORD: Final = 1_000


@dataclass(frozen=True, slots=True)
class Split:
    """The parts of a file, as JSONL, read anew from its blocks each time one is asked for.

    `classes` is how many classes the rows were drawn from in proportion, 0 where they have none. `alike` counts rows
    that belong to an earlier one, and were kept on its side; `parted` those that resemble so many others that they
    were not. Of `one_in` rows, one was compared for near-duplicates.
    """

    train_rows: int
    valid_rows: int
    test_rows: int
    classes: int
    alike: int
    parted: int
    one_in: int
    _lines: Callable[[], Iterable[tuple[int, bytes]]]
    _parts: bytes

    @property
    def train(self) -> Iterator[bytes]:
        """Yield the lines to train on, in the file's order (`finetune.formats.training_lines`), with newlines."""
        return self._part(TRAIN)

    @property
    def valid(self) -> Iterator[bytes]:
        """Yield the lines to validate with while training, likewise."""
        return self._part(VALID)

    @property
    def test(self) -> Iterator[bytes]:
        """Yield the lines that are kept for the end, likewise."""
        return self._part(TEST)

    def _part(self, part: int) -> Iterator[bytes]:
        lines = zip(self._lines(), self._parts, strict=True)
        return (line + b"\n" for (_, line), its in lines if its == part)


def split_jsonl(
    blocks: Iterable[bytes],
    fraction: float | None,
    seed: int,
    *,
    test: float = 0.0,
    filename: str = "",
    format_name: str = "",
    on_row: Callable[[int], None] = lambda _: None,
) -> Split:
    """Return the file's split: `test` of its rows, and `fraction` for validation (None: `usual_share`).

    The file may be anything that can be checked: `filename` and `format_name` are those of its check; blank lines
    belong to no part. Rows stay on one side that are the same JSON, say the same but for case, width and punctuation,
    nearly repeat one another, ask the same, or were cut from one conversation (`finetune.splitting.families`). Classes
    go into the parts in proportion (`finetune.splitting.drawing`). The test rows do not depend on `fraction`. `blocks`
    is read once now and once for each part, so give something that can be read again (a list, or an object that opens
    the file anew in `__iter__`): an iterator is kept in memory whole. `on_row` is told now and then how many
    rows were compared. ValueError for shares that are none.
    """
    source = list(blocks) if isinstance(blocks, Iterator) else blocks
    lines = partial(training_lines, source, filename, format_name)
    if fraction == 0 and test == 0:
        return _undivided(lines)
    kinship, classes = Kinship(), _Classes()
    for count, (_, line) in enumerate(lines(), start=1):
        if count % ROWS_A_WORD == 0:
            on_row(count)
        likeness = likeness_of(line)
        kinship.add(likeness)
        classes.add(likeness.answer)
    found = kinship.families()
    labels = classes.of_rows()
    valid = usual_share(len(kinship.keys), has_classes=bool(labels)) if fraction is None else fraction
    parts = _drawn(found, kinship.keys, labels, valid=valid, test=test, seed=seed)
    return Split(
        train_rows=parts.count(TRAIN),
        valid_rows=parts.count(VALID),
        test_rows=parts.count(TEST),
        classes=len(set(labels)),
        alike=found.alike,
        parted=found.parted,
        one_in=found.one_in,
        _lines=lines,
        _parts=parts,
    )


def _undivided(lines: Callable[[], Iterable[tuple[int, bytes]]]) -> Split:
    """Return all rows as those to train on: nothing need be compared."""
    rows = sum(1 for _ in lines())
    return Split(rows, 0, 0, classes=0, alike=0, parted=0, one_in=1, _lines=lines, _parts=bytes([TRAIN]) * rows)


def usual_share(rows: int, *, has_classes: bool) -> float:
    """Return the share for validation that nobody has chosen: of a classifier's rows a fifth, 1,000 at most.

    That is the rule of OpenAI's removed `prepare_data`: max(n - 1000, int(0.8 n)) rows to train on. Of others, a tenth.
    """
    if not has_classes or not rows:
        return VALID_USUALLY
    return (rows - max(rows - VALID_OF_CLASSES_MAX_ROWS, int((1 - VALID_OF_CLASSES) * rows))) / rows


def hold_out(keys: Sequence[int], fraction: float, seed: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the indices of the examples to train on and of those held out, each in order.

    Examples with the same key stay on one side. About `fraction` of the examples are held out, at least one where
    `fraction` is above 0, never so many that fewer than 10 are left, and fewer where repeated examples do not fit.
    The same keys, fraction and seed give the same split, in whatever order the examples are. ValueError unless 0 <=
    fraction < 1.
    """
    sizes = Counter(keys)
    families = [Family(key, size) for key, size in sizes.items()]
    parts = dict(zip(sizes, draw(families, valid=fraction, test=0.0, seed=seed), strict=True))
    train = tuple(index for index, key in enumerate(keys) if parts[key] == TRAIN)
    valid = tuple(index for index, key in enumerate(keys) if parts[key] != TRAIN)
    return train, valid


@dataclass
class _Classes:
    """The class of each row, while the answers may be labels."""

    _answers: CommonAnswers = field(default_factory=CommonAnswers)
    _numbers: dict[str, int] = field(default_factory=dict[str, int])
    _rows: array[int] = field(default_factory=lambda: array("H"))

    def add(self, answer: str) -> None:
        self._answers.add(answer)
        if self._answers.may_be_labels:
            self._rows.append(self._numbers.setdefault(answer, len(self._numbers)))

    def of_rows(self) -> list[str]:
        """Return the label of every row, nothing where the answers are none."""
        if not self._answers.labels(lambda _: 0):
            return []
        names = list(self._numbers)
        return [names[number] for number in self._rows]


def _drawn(
    found: Families, keys: Sequence[int], labels: Sequence[str], *, valid: float, test: float, seed: int
) -> bytes:
    """Return the part of every row."""
    of_row: list[int] = found.of_row.tolist()
    sizes, first_key = Counter(of_row), dict[int, int]()
    for row, family in enumerate(of_row):
        first_key[family] = min(first_key.get(family, keys[row]), keys[row])
    of_class = _labels_of_families(of_row, labels, sizes) if labels else {}
    families = [Family(first_key[one], size, of_class.get(one, "")) for one, size in sizes.items()]
    parts = dict(zip(sizes, draw(families, valid=valid, test=test, seed=seed), strict=True))
    return bytes(parts[family] for family in of_row)


def _labels_of_families(of_row: Sequence[int], labels: Sequence[str], sizes: Counter[int]) -> dict[int, str]:
    """Return the class of every family, of several the commonest."""
    of_class = dict(zip(of_row, labels, strict=True))
    several: dict[int, Counter[str]] = {}
    for family, label in zip(of_row, labels, strict=True):
        if sizes[family] > 1:
            several.setdefault(family, Counter())[label] += 1
    return of_class | {family: _commonest(counts) for family, counts in several.items()}


def _commonest(counts: Counter[str]) -> str:
    return min(counts, key=lambda label: (-counts[label], label))
