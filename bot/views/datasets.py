"""The card of a dataset: received, checked, and what can be done with it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from bot.mrkdwn import EMPTY, Mrkdwn, bold, join, lines, mrkdwn, prose
from bot.views import words
from bot.views.blocks import actions, button, context, section, sections
from bot.views.findings import findings_lines
from bot.views.message import Message, message
from bot.views.versions import difference_sentence, making, mending_buttons, not_made, version_lines
from finetune.findings import Severity
from finetune.guidance import advice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.views.message import Block
    from finetune.fixes.difference import Difference
    from finetune.guidance import Task
    from finetune.report import PriceRange, Report
    from finetune.splitting.division import Parts
    from jobstore.records import Dataset, Record

PRICES_SHOWN: Final = 4
_TRAINING: Final = mrkdwn("Ready to train")
_MEASURING: Final = mrkdwn("Ready to measure a model with")
"""What rows are ready for that nothing is wrong with; validation and test rows are not to be trained on."""


def dataset_card(
    record: Record[Dataset],
    report: Report | None,
    *,
    model_labels: Mapping[str, str],
    task: Task | None = None,
    difference: Difference | Parts | None = None,
) -> Message:
    """The one reply to a dropped file, edited as its check goes on.

    `report` is what the check found, once there is one. `model_labels` names the models on offer by id: only their
    prices are shown. Empty, it shows every price that the report has. `task` is what the rows are to teach, where the
    report guessed otherwise; `difference` is what a version has changed, or how a part was
    divided.
    """
    if record.data.refusal is not None:
        return _unreadable(record)
    if report is None or not record.at.is_final:
        return _on_its_way(record)
    offered = _offered(report, model_labels)
    measures = record.data.made is not None and record.data.made.part in {"valid", "test"}
    said_first = _headline(report, _MEASURING if measures else _TRAINING)
    headline = lines(_same(record.data), said_first)
    said = join(" ", [difference_sentence(difference) if difference else EMPTY, said_first])
    return message(
        mrkdwn("{file}: {headline}", file=words.name(record.data.filename), headline=said),
        *sections(version_lines(record, difference, report)),
        section(headline),
        *sections(findings_lines(report.findings, report.rows)),
        _price_section(report, offered) if record.state == "accepted" and not measures else None,
        None if measures else context(lines(*map(prose, advice(report, task)))),
        context(lines(_handle_line(record, report, offered), *map(prose, report.doubts))),
        actions(None if measures else _train_button(record, offered), *mending_buttons(record, report)),
    )


def _on_its_way(record: Record[Dataset]) -> Message:
    data = record.data
    file = bold(words.name(data.filename))
    size = f" ({words.size(data.declared_bytes)})" if data.declared_bytes else ""
    match record.state:
        case "received" | "fetching":
            text = mrkdwn("Got {file}{size}. Fetching it now.", file=file, size=_after_space(size))
        case "mending":
            text = making(record)
        case "checking" if data.rows_seen:
            text = mrkdwn("Checking {file}: {seen}.", file=file, seen=_seen(data))
        case "checking":
            text = mrkdwn("Checking {file}.", file=file)
        case _:
            text = mrkdwn("Checked {file}. The details of the check are no longer kept: drop it again.", file=file)
    return message(text, context(text))


def _seen(data: Dataset) -> str:
    expected = words.about_count(data.rows_expected)
    if expected <= data.rows_seen:
        return f"{words.plural(data.rows_seen, 'row')} so far"
    return f"{data.rows_seen:,} of about {expected:,} rows"


def _after_space(text: str) -> Mrkdwn:
    return mrkdwn(" {text}", text=text.strip()) if text else EMPTY


def _unreadable(record: Record[Dataset]) -> Message:
    refusal = record.data.refusal
    assert refusal is not None
    reason = prose(refusal.message)
    text = mrkdwn("I could not read *{file}*. {reason}", file=words.name(record.data.filename), reason=reason)
    text = not_made(record, reason) if record.data.made and not record.data.sha256 else text
    return message(text, section(lines(text, prose(refusal.hint))), context(mrkdwn("{id}", id=record.ref.id)))


def _same(data: Dataset) -> Mrkdwn:
    if not data.same_as:
        return EMPTY
    return mrkdwn("Already checked: the same bytes as {before}.", before=words.handle(data.same_as))


def _headline(report: Report, ready: Mrkdwn) -> Mrkdwn:
    about = "about " if report.counted_with == "estimate" else ""
    figures = [words.plural(report.rows, "row"), *([report.format] if report.format else [])]
    if report.tokens.total:
        figures.append(f"{about}{words.short_count(report.tokens.total)} tokens")
    return mrkdwn("*{figures}.* {verdict}", figures=" · ".join(figures), verdict=_verdict(report, ready))


def _verdict(report: Report, ready: Mrkdwn) -> Mrkdwn:
    errors = len(report.errors)
    if report.verdict == "unreadable":
        return mrkdwn("No row can be read as a training example.")
    if errors:
        return mrkdwn("{count} {verb} training.", count=words.plural(errors, "error"), verb=_blocks(errors))
    warnings = sum(finding.severity is Severity.WARNING for finding in report.findings)
    if warnings:
        return mrkdwn("{ready}, with {count}.", ready=ready, count=words.plural(warnings, "warning"))
    return mrkdwn("{ready}.", ready=ready)


def _blocks(errors: int) -> str:
    return "blocks" if errors == 1 else "block"


def _offered(report: Report, labels: Mapping[str, str]) -> list[tuple[str, PriceRange]]:
    prices = report.price_usd.items()
    if not labels:
        return [(words.model_name(model), price) for model, price in prices]
    return [(words.name(labels[model]), price) for model, price in prices if model in labels]


def _price_section(report: Report, offered: list[tuple[str, PriceRange]]) -> Block | None:
    if not offered:
        return None
    prices = [
        mrkdwn("{price} on {model}", price=words.price(price.low, price.high), model=label)
        for label, price in offered[:PRICES_SHOWN]
    ]
    if all(price.high <= 0 for _, price in offered):  # how often the rows are gone over changes nothing then
        return section(mrkdwn("Training is {prices}.", prices=join(", ", prices)))
    return section(
        mrkdwn("{epochs}: {prices}.", epochs=words.plural(report.epochs, "epoch"), prices=join(", ", prices))
    )


def _handle_line(record: Record[Dataset], report: Report, offered: list[tuple[str, PriceRange]]) -> Mrkdwn:
    longest = f"longest row {report.tokens.max:,} tokens" if report.tokens.max else ""
    is_priced = record.state == "accepted" and any(price.high > 0 for _, price in offered)
    as_of = f"prices of {words.name(report.prices_as_of)}" if report.prices_as_of and is_priced else ""
    parts = [record.ref.id, words.name(record.data.filename), longest, as_of]
    return join(" · ", [mrkdwn("{part}", part=part) for part in parts])


def _train_button(record: Record[Dataset], offered: list[tuple[str, PriceRange]]) -> Block | None:
    if record.state != "accepted":
        return None
    is_free = bool(offered) and all(price.high <= 0 for _, price in offered)
    about = f", {words.about_time(record.data.expected_s)}" if 0 < record.data.expected_s < math.inf else ""
    label = f"Train (free{about})…" if is_free else "Train…"
    return button(label, "train", record.ref.member, style="primary")
