"""Versions of a dataset on its card: what changed by row, what still needs a person, and what can be mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mrkdwn import EMPTY, Mrkdwn, bold, mrkdwn, prose
from bot.views import words
from bot.views.blocks import button, context, modal, overflow, section, select, text_input
from bot.views.message import Message, message
from bot.views.parts import part_lines, part_name, part_sentence
from finetune.conversion.conversion import offered
from finetune.excerpt import rows_worth_showing
from finetune.fixes.choice import by_itself, for_base, safe
from finetune.fixes.words import OF_MOST_ROWS, ordered, phrase, sentence
from finetune.splitting.division import Parts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.views.message import Block
    from finetune.conversion.columns import Part
    from finetune.conversion.conversion import Target
    from finetune.findings import Finding
    from finetune.fixes.difference import Change, Difference
    from finetune.report import Report
    from jobstore.records import Dataset, Record

ROWS_OF_A_CHANGE: Final = 10
ROWS_THAT_NEED_YOU: Final = 5
SPLIT_MIN_ROWS: Final = 20
NO_COLUMN: Final = "-"
"""The choice of a column that stands for none."""

ACTS: Final[dict[Target, tuple[str, str]]] = {
    "chat": ("convert_chat", "Convert to chat…"),
    "turns": ("convert_turns", "One example per reply"),
    "prompt-completion": ("convert_prompt_completion", "Convert to prompt and completion"),
    "preference": ("convert_preference", "Convert to input and preferred_output"),
    "chosen-rejected": ("convert_chosen_rejected", "Convert to chosen and rejected"),
}
"""A conversion's act, and its label in a menu."""

_WRITTEN_AS: Final = (("chat", "Chat"), ("prompt-completion", "Prompt and completion"))
_FOREIGN: Final = frozenset({"alpaca", "sharegpt"})
_UNMAPPED: Final = frozenset({"missing-column", "unknown-format", "messages-missing"})
_FREE_NAMES: Final = 2
"""So many columns can be mapped to a prompt and its completion."""


def version_lines(record: Record[Dataset], difference: Difference | Parts | None, report: Report) -> list[Mrkdwn]:
    """Return what a version's card begins with: what was changed, by row, and what a person must mend."""
    made = record.data.made
    if made is None:
        return []
    if made.part or isinstance(difference, Parts):
        return part_lines(made, difference if isinstance(difference, Parts) else None)
    original = words.name(made.source_name)
    head = mrkdwn(
        "*Version {number}* of *{file}* ({parent}), which is untouched.",
        number=words.name(made.number),
        file=original,
        parent=words.handle(made.parent),
    )
    if difference is None:
        return [head]
    return [head, *map(_changed, ordered(difference)), _needs_you(difference, report, original)]


def making(record: Record[Dataset]) -> Mrkdwn:
    """A version is being made."""
    rows = words.plural(record.data.rows_seen, "row")
    so_far = mrkdwn(": {rows} so far", rows=rows) if record.data.rows_seen else EMPTY
    return mrkdwn("Making {version}{so_far}.", version=_name(record), so_far=so_far)


def not_made(record: Record[Dataset], reason: Mrkdwn) -> Mrkdwn:
    """A version could not be made."""
    if record.data.made and record.data.made.part:
        return mrkdwn("I could not make {part}. {reason}", part=part_name(record.data.made), reason=reason)
    return mrkdwn("There is no {version}. {reason}", version=_name(record), reason=reason)


def mending_buttons(record: Record[Dataset], report: Report) -> list[Block | None]:
    """Return the buttons that mend a checked dataset: the next step as a button, the rest behind ⋯."""
    value = record.ref.member
    safe_ones = len(safe(report))
    is_foreign = report.format in _FOREIGN
    may_map = _may_map(report)
    return [
        button(ACTS["chat"][1], "convert_chat", value, style="primary") if is_foreign else None,
        button("Map columns…", "map_columns", value, style="primary") if may_map else None,
        button(f"Apply {words.plural(safe_ones, 'safe fix', 'safe fixes')}", "fix", value) if safe_ones else None,
        button("Show rows", "show_rows", value) if rows_worth_showing(report) else None,
        button("Tokens", "tokens", value) if record.data.picture else None,
        overflow("more", _more(record, report), value),
    ]


def convert_modal(record: Record[Dataset], report: Report, *, metadata: str) -> Block:
    """The form that turns rows into chat."""
    contract = report.contract
    cut = [mark for mark in (contract.separator, *contract.stop) if mark] if contract else []
    return modal(
        "convert",
        "Convert to chat",
        [
            section(
                mrkdwn(
                    "Each row of *{file}* becomes a chat, in a new version. The file itself stays as it is.",
                    file=words.name(record.data.filename),
                )
            ),
            context(mrkdwn("Marks that all prompts or completions end with are cut.")) if cut else None,
            _system_message("system"),
        ],
        submit="Convert",
        metadata=metadata,
    )


def map_modal(record: Record[Dataset], columns: Sequence[str], guessed: Mapping[Part, str], *, metadata: str) -> Block:
    """The form that says which column holds what; a choice's value is the column's place, "-" for none."""
    named = [(str(place), column) for place, column in enumerate(columns)]
    chosen = {part: str(columns.index(column)) for part, column in guessed.items()}
    none = [(NO_COLUMN, "(none)")]
    return modal(
        "map_columns",
        "Map columns",
        [
            section(
                mrkdwn(
                    "Which column of *{file}* holds what? I make a new version; the file itself stays as it is.",
                    file=words.name(record.data.filename),
                )
            ),
            select("prompt", "What is asked", [*none, *named], chosen.get("prompt", NO_COLUMN)),
            select("completion", "The answer to learn", [*none, *named], chosen.get("completion", NO_COLUMN)),
            select(
                "context",
                "A text that belongs to the question",
                [*none, *named],
                chosen.get("context", NO_COLUMN),
                hint="It is put below what is asked.",
            ),
            select("system", "A system message of each row's own", [*none, *named], chosen.get("system", NO_COLUMN)),
            select("to", "Write the rows as", _WRITTEN_AS, "chat"),
            _system_message("system_message"),
        ],
        submit="Make a version",
        metadata=metadata,
    )


def _system_message(name: str) -> Block:
    field = text_input(
        name,
        "System message",
        "",
        multiline=True,
        hint="The same for every row: what the model is and how it answers. Use the same one later.",
    )
    return {**field, "optional": True}


def version_asked(dataset: Record[Dataset]) -> Message:
    """A version was asked for by a command."""
    return _said(mrkdwn("Making a new version of {id}. Its report comes in the same thread.", id=bold(dataset.ref.id)))


def version_known(version: str) -> Message:
    """The same version was asked for before."""
    id_ = bold(words.handle(version))
    return _said(mrkdwn("That is {id} already: its report is in the thread of the file.", id=id_))


def difference_sentence(difference: Difference | Parts) -> Mrkdwn:
    """What changed, in one sentence, for notifications."""
    return part_sentence(difference) if isinstance(difference, Parts) else prose(sentence(difference))


def _said(text: Mrkdwn) -> Message:
    return message(text, section(text))


def _name(record: Record[Dataset]) -> Mrkdwn:
    made = record.data.made
    if made is not None and made.part:
        return part_name(made)
    number, file = (made.number, made.source_name) if made else ("", record.data.filename)
    return mrkdwn("version {number} of *{file}*", number=words.name(number), file=words.name(file))


def _changed(change: Change) -> Mrkdwn:
    said = phrase(change)
    rows = "" if change.code in OF_MOST_ROWS else words.rows_named(change.rows[:ROWS_OF_A_CHANGE], change.count)
    named = mrkdwn(": {rows}", rows=rows[:1].lower() + rows[1:]) if rows else EMPTY
    return mrkdwn("• {said}{named}.", said=prose(said[:1].upper() + said[1:]), named=named)


def _needs_you(difference: Difference, report: Report, original: str) -> Mrkdwn:
    """Name the rows of errors by the numbers they have in the original, where a person mends them."""
    errors = [finding for finding in report.errors if finding.rows]
    lines = sorted({row for finding in errors for row in finding.rows})
    if not lines:
        return EMPTY
    rows = [difference.row_of(line) for line in lines]
    known = [row for row in rows if row is not None]
    if len(known) < len(rows):
        return mrkdwn("{rows} of this version still {need} you.", **_needing(errors, lines))
    if known == lines:
        return mrkdwn("{rows} still {need} you.", **_needing(errors, lines))
    return mrkdwn("{rows} of {file} still {need} you.", file=original, **_needing(errors, known))


def _needing(errors: Sequence[Finding], rows: Sequence[int]) -> dict[str, str]:
    shown = rows[:ROWS_THAT_NEED_YOU]
    count = max(len(rows), *(finding.count for finding in errors))
    return {"rows": words.rows_named(shown, count), "need": "needs" if count == 1 else "need"}


def _may_map(report: Report) -> bool:
    codes = {finding.code for finding in report.errors}
    is_nothing_else = report.format is None or not report.examples
    return is_nothing_else and len(report.columns) >= _FREE_NAMES and bool(codes & _UNMAPPED)


def _more(record: Record[Dataset], report: Report) -> list[tuple[str, str]]:
    empty = sum(finding.count for finding in report.findings if finding.code in by_itself(report))
    texts = len(for_base(report))
    options: list[tuple[str, str]] = []
    if empty:
        options.append(("fix_empty", f"Delete {words.plural(empty, 'row')} with empty answers"))
    if texts:
        options.append(("fix_texts", f"Apply {words.plural(texts, 'fix', 'fixes')} for base models"))
    is_part = record.data.made is not None and record.data.made.part != ""
    if record.state == "accepted" and report.examples >= SPLIT_MIN_ROWS and not is_part:
        options.append(("split", "Split: train, validation, test"))
    is_usual = report.format == "chat" and record.state != "accepted"  # mend it before it is cut into turns
    has_button = report.format in _FOREIGN
    options += [ACTS[one] for one in offered(report) if not is_usual and not (has_button and one == "chat")]
    if not _may_map(report) and report.format in {"prompt-completion", None} and len(report.columns) > _FREE_NAMES:
        options.append(("map_columns", "Map columns…"))
    return options
