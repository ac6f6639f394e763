"""What a tuned classifier answered to rows it was not trained on, in figures that say how far to trust them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mrkdwn import EMPTY, Mrkdwn, clip, join, lines, mrkdwn
from bot.views import words
from bot.views.blocks import actions, context, section
from bot.views.jobs import details_button, job_title, try_button
from bot.views.message import Message, message
from bot.views.preformatted import lined_up, preformatted

if TYPE_CHECKING:
    from finetune.evaluation import Scores
    from finetune.metrics import Confusion, Share
    from jobstore.evaluations import Evaluation
    from jobstore.records import Job, Record

CLASSES_MAX: Final = 12
NAME_MAX: Final = 24
WEAK: Final = 0.5
WEAK_ROWS: Final = 3
_STOPPED: Final = {
    "time": "I stopped after 5 minutes.",
    "price": "I stopped at the most that asking may cost here.",
    "provider": "The provider stopped answering.",
}


def evaluation_post(record: Record[Job], scores: Scores) -> Message:
    """The accuracy with its interval, what it compares with, a line for each class, and what to look at next."""
    evaluation = record.data.evaluation
    text = mrkdwn(
        "{title}: test accuracy {share} on rows it was not trained on, {right} of {total} right.",
        title=job_title(record),
        share=share_words(scores.right),
        right=scores.right.right,
        total=scores.right.total,
    )
    return message(
        text,
        section(lines(text, _baseline(scores), _advice(scores))),
        preformatted(_table(scores)),
        context(_two_classes(scores)),
        context(_asked(evaluation, scores)) if evaluation else None,
        actions(try_button(record), details_button(record)),
    )


def confusion_title(record: Record[Job]) -> str:
    """The title of the picture of the confusion matrix."""
    return f"{words.name(record.data.title)} ({record.ref.id}): what was expected, and what was answered"


def share_words(share: Share) -> str:
    """Return a share with its interval: "91% (86–94)"."""  # noqa: RUF002 - a range takes an en dash
    low, high = round(100 * share.interval.low), round(100 * share.interval.high)
    return f"{round(100 * share.value)}% ({low}–{high})"  # noqa: RUF001 - the same


def _baseline(scores: Scores) -> Mrkdwn:
    return mrkdwn(
        "Always answering {label} would get {share}%.",
        label=_name(scores.commonest_label),
        share=round(100 * scores.commonest.value),
    )


def _advice(scores: Scores) -> Mrkdwn:
    """What to do next, the first that fits: no better than guessing, one weak class, or nothing to mend."""
    if scores.right.interval.low <= scores.commonest.value:
        return mrkdwn("*That is no proven gain.* Add rows, or check that their labels are right.")
    weak = _weakest(scores.matrix)
    if not weak:
        return mrkdwn("Try it on questions of your own.")
    taken = _taken_for(scores.matrix, weak)
    return mrkdwn(
        "Weakest is {label}: {hits} of {rows} right{taken}. Add rows of it.",
        label=_name(weak),
        hits=scores.matrix.hits(weak),
        rows=scores.matrix.support(weak),
        taken=mrkdwn(", mostly taken for {other}", other=_name(taken)) if taken else EMPTY,
    )


def _weakest(matrix: Confusion) -> str:
    """The class with the fewest right answers, where more than half were wrong; "" where there is none."""
    shares = {
        label: matrix.hits(label) / matrix.support(label)
        for label in matrix.labels
        if matrix.support(label) >= WEAK_ROWS
    }
    weakest = min(shares, key=lambda label: (shares[label], label), default="")
    return weakest if weakest and shares[weakest] < WEAK else ""


def _taken_for(matrix: Confusion, label: str) -> str:
    row = dict(zip(matrix.labels, matrix.counts[matrix.labels.index(label)], strict=False))
    row.pop(label)
    other = max(row, key=lambda one: row[one], default="")
    return other if other and row[other] else ""


def _table(scores: Scores) -> str:
    matrix = scores.matrix
    order = sorted(matrix.labels, key=lambda label: (-matrix.support(label), label))
    rows = [_row(matrix, label) for label in order[:CLASSES_MAX]]
    more = len(order) - CLASSES_MAX
    text = lined_up([("class", "rows", "right", "precision", "F1"), *rows])
    return f"{text}\nand {more:,} classes more" if more > 0 else text


def _row(matrix: Confusion, label: str) -> tuple[str, ...]:
    support, answered, hits = matrix.support(label), matrix.answered(label), matrix.hits(label)
    named = support + answered
    return (
        clip(label, NAME_MAX) or "-",
        f"{support:,}",
        _percent(hits, support),
        _percent(hits, answered),
        f"{2 * hits / named:.2f}" if named else "–",  # noqa: RUF001 - no figure
    )


def _percent(part: int, whole: int) -> str:
    return f"{round(100 * part / whole)}%" if whole else "–"  # noqa: RUF001 - no figure


def _two_classes(scores: Scores) -> Mrkdwn:
    two = scores.two
    if two is None:
        return EMPTY
    figures = {
        "precision": two.precision,
        "recall": two.recall,
        "F1": two.f1,
        "AUROC": two.auroc,
        "AUPRC": two.auprc,
    }
    parts = [mrkdwn("{figure}", figure=f"{name} {value:.2f}") for name, value in figures.items() if value is not None]
    return join(" · ", [mrkdwn("for {label}", label=_name(two.positive)), *parts])


def _asked(evaluation: Evaluation, scores: Scores) -> Mrkdwn:
    parts = [
        "" if scores.weighted_f1 is None else f"weighted F1 {scores.weighted_f1:.2f}",
        f"{evaluation.asked:,} of {words.plural(evaluation.held_out, 'held-out row')} asked",
        f"the provider refused {scores.refused:,}" if scores.refused else "",
        "asking was free" if evaluation.cost_usd <= 0 else f"asking cost {words.money(evaluation.cost_usd)}",
    ]
    said = join(" · ", [mrkdwn("{part}", part=part) for part in parts])
    stopped = _STOPPED.get(evaluation.stopped, "")
    return mrkdwn("{said}. {stopped}", said=said, stopped=stopped) if stopped else said


def _name(label: str) -> Mrkdwn:
    return mrkdwn("*{label}*", label=words.name(label, NAME_MAX))
