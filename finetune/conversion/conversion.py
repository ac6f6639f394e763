"""From one format to another, row by row: which conversions there are, and the rows on their way through one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, get_args

from finetune.conversion.columns import Part, mapped
from finetune.conversion.foreign import alpaca_to_chat, sharegpt_to_chat
from finetune.conversion.markers import Markers
from finetune.conversion.pairs import to_chat, to_pair
from finetune.conversion.preferences import to_flat, to_nested
from finetune.conversion.turns import to_turns
from finetune.fixes.row import Row, line_of, value_of
from finetune.report import FormatName  # noqa: TC001 - msgspec reads the annotations at run time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from finetune.conversion.pairs import Converted, Object
    from finetune.report import Report

Target = Literal["chat", "prompt-completion", "turns", "preference", "chosen-rejected"]
TARGETS: Final[tuple[Target, ...]] = get_args(Target)

FROM: Final[dict[FormatName, tuple[Target, ...]]] = {
    "chat": ("turns", "prompt-completion"),
    "prompt-completion": ("chat",),
    "preference": ("preference", "chosen-rejected"),
    "reinforcement": (),
    "alpaca": ("chat", "prompt-completion"),
    "sharegpt": ("chat", "turns", "prompt-completion"),
}
"""What rows of each format can become."""

MAPPED: Final = "columns-mapped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """One conversion, with all it needs to give the same rows again.

    `source` is the format of the rows, None where their columns are `mapping`ped to prompt and completion first. To
    chat, `system` begins every row that has no system message of its own; from chat it is the one that every row begins
    with, and is left away. `markers` are cut from the ends of texts.
    """

    source: FormatName | None
    target: Target
    mapping: dict[Part, str] = field(default_factory=dict[Part, str])
    system: str = ""
    markers: Markers = field(default_factory=Markers)

    def __call__(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows as they are converted.

        A row that would lose something is left out; one that is not in the source format is left as it stands: the
        check of what comes out says what is wrong with it.
        """
        for row in rows:
            if row.line is None or (self.source is not None and row.example is None):
                yield row
            else:
                yield from self._converted(row, self._of(value_of(row.line)))

    def _converted(self, row: Row, converted: Converted) -> Iterator[Row]:
        if converted is None:
            yield row
        elif isinstance(converted, str):
            yield row.deleted(converted)
        else:
            code = MAPPED if self.source is None else f"to-{self.target}"
            for value in converted:
                yield row.rewritten(line_of(value), code)

    def _of(self, value: Object) -> Converted:
        if not self.mapping:
            return self._from(self.source, value)
        made = mapped(value, self.mapping)
        if not isinstance(made, list):
            return made
        (pair,) = made
        own = pair.pop("system", "")
        return to_chat(pair, system=own or self.system, markers=self.markers) if self.target == "chat" else made

    def _from(self, source: FormatName | None, value: Object) -> Converted:
        step = _STEPS.get((source, self.target))
        if step is not None:
            return step(value, self)
        chat = _STEPS[source, "chat"](value, self)  # what is neither goes by way of chat
        if not isinstance(chat, list):
            return chat
        (row,) = chat
        return _STEPS["chat", self.target](row, self) or chat


_STEPS: Final[dict[tuple[FormatName | None, Target], Callable[[Object, Conversion], Converted]]] = {
    ("prompt-completion", "chat"): lambda row, how: to_chat(row, system=how.system, markers=how.markers),
    ("alpaca", "chat"): lambda row, how: alpaca_to_chat(row, system=how.system),
    ("sharegpt", "chat"): lambda row, how: sharegpt_to_chat(row, system=how.system),
    ("chat", "prompt-completion"): lambda row, how: to_pair(row, system=how.system),
    ("chat", "turns"): lambda row, _: to_turns(row),
    ("preference", "preference"): lambda row, _: to_nested(row),
    ("preference", "chosen-rejected"): lambda row, _: to_flat(row),
}


def offered(report: Report) -> tuple[Target, ...]:
    """Return what the rows of a checked file can become, the most sensible first."""
    if report.format is None or not report.examples:
        return ()
    if report.format == "preference" and report.columns:
        return ("chosen-rejected",) if "preferred_output" in report.columns else ("preference",)
    return FROM[report.format]


def conversion_of(report: Report, target: Target, system: str = "") -> Conversion:
    """Return the conversion of a checked file: what its check learnt of its ends is cut, where `target` is chat.

    KeyError where its rows cannot become that.
    """
    if report.format is None or target not in offered(report):
        raise KeyError(target)
    contract = report.contract
    shared = contract.system or "" if contract is not None and contract.kind == "chat" else ""
    return Conversion(
        source=report.format,
        target=target,
        system=system or (shared if target == "prompt-completion" else ""),
        markers=Markers.of_contract(contract) if report.format == "prompt-completion" else Markers(),
    )
