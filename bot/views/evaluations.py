"""What a tuned model answered to rows it was not trained on, in figures that say how far to trust them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mrkdwn import EMPTY, Mrkdwn, clip, join, lines, mrkdwn
from bot.views import words
from bot.views.blocks import actions, context, section
from bot.views.jobs import details_button, job_title, try_button
from bot.views.message import Message, message
from bot.views.preformatted import lined_up, preformatted

if TYPE_CHECKING:
    from finetune.evaluation import Classes, Scores
    from finetune.metrics import Confusion, Share, TwoClasses
    from jobstore.evaluations import Evaluation, Source
    from jobstore.jobs import Job
    from jobstore.records import Record

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
    """The share of right answers with its interval, what it compares with, class by class, and what to look at next."""
    evaluation, classes = record.data.evaluation, scores.classes
    text = mrkdwn(
        "{title}: {what} {share} on rows it was not trained on, {right} of {total} right.",
        title=job_title(record),
        what=what_is_measured(is_classifier=classes is not None),
        share=share_words(scores.right),
        right=scores.right.right,
        total=scores.right.total,
    )
    said = lines(_baseline(classes), _advice(scores.right, classes)) if classes else EXACT
    return message(
        text,
        section(lines(text, said)),
        preformatted(_table(classes.matrix)) if classes else None,
        context(_two_classes(classes.two)) if classes and classes.two else None,
        context(_asked(evaluation, scores, is_hosted=record.data.stay is not None)) if evaluation else None,
        actions(try_button(record), details_button(record)),
    )


EXACT: Final = mrkdwn("Right is an answer that is word for word what was expected. Try it on questions of your own.")


def rows_word(source: Source) -> str:
    """Return what the rows that a model is asked about are called: those of a split's test part, or others."""
    return "test row" if source == "test" else "held-out row"


def what_is_measured(*, is_classifier: bool) -> str:
    """Return what a share of right answers is called: a classifier's, or that of any other model."""
    return "test accuracy" if is_classifier else "exact answers"


def confusion_title(record: Record[Job]) -> str:
    """The title of the picture of the confusion matrix."""
    return f"{words.name(record.data.title)} ({record.ref.id}): what was expected, and what was answered"


def share_words(share: Share) -> str:
    """Return a share with its interval: "91% (86–94)"."""  # noqa: RUF002 - a range takes an en dash
    low, high = round(100 * share.interval.low), round(100 * share.interval.high)
    return f"{round(100 * share.value)}% ({low}–{high})"  # noqa: RUF001 - the same


def _baseline(classes: Classes) -> Mrkdwn:
    return mrkdwn(
        "Always answering {label} would get {share}%.",
        label=_name(classes.commonest_label),
        share=round(100 * classes.commonest.value),
    )


def _advice(right: Share, classes: Classes) -> Mrkdwn:
    """What to do next, the first that fits: no better than guessing, one weak class, or nothing to mend."""
    if right.interval.low <= classes.commonest.value:
        return mrkdwn("*That is no proven gain.* Add rows, or check that their labels are right.")
    weak = _weakest(classes.matrix)
    if not weak:
        return mrkdwn("Try it on questions of your own.")
    taken = _taken_for(classes.matrix, weak)
    return mrkdwn(
        "Weakest is {label}: {hits} of {rows} right{taken}. Add rows of it.",
        label=_name(weak),
        hits=classes.matrix.hits(weak),
        rows=classes.matrix.support(weak),
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


def _table(matrix: Confusion) -> str:
    order = sorted(matrix.labels, key=lambda label: (-matrix.support(label), label))
    rows = [_row(matrix, label) for label in order[:CLASSES_MAX]]
    more = len(order) - CLASSES_MAX
    # narrow enough for a phone, where longer lines are broken in the middle
    text = lined_up([("class", "right", "prec.", "F1"), *rows])
    return f"{text}\nand {more:,} classes more" if more > 0 else text


def _row(matrix: Confusion, label: str) -> tuple[str, ...]:
    support, answered, hits = matrix.support(label), matrix.answered(label), matrix.hits(label)
    named = support + answered
    return (
        clip(label, NAME_MAX) or "-",
        f"{hits:,}/{support:,}",
        _percent(hits, answered),
        f"{2 * hits / named:.2f}" if named else "–",  # noqa: RUF001 - no figure
    )


def _percent(part: int, whole: int) -> str:
    return f"{round(100 * part / whole)}%" if whole else "–"  # noqa: RUF001 - no figure


def _two_classes(two: TwoClasses) -> Mrkdwn:
    figures = {
        "precision": two.precision,
        "recall": two.recall,
        "F1": two.f1,
        "AUROC": two.auroc,
        "AUPRC": two.auprc,
    }
    parts = [mrkdwn("{figure}", figure=f"{name} {value:.2f}") for name, value in figures.items() if value is not None]
    return join(" · ", [mrkdwn("for {label}", label=_name(two.positive)), *parts])


def _asked(evaluation: Evaluation, scores: Scores, *, is_hosted: bool) -> Mrkdwn:
    weighted = scores.classes.weighted_f1 if scores.classes else None
    parts = [
        f"weighted F1 {weighted:.2f}" if weighted is not None else "",
        f"{round(100 * scores.tokens.value)}% of the tokens right" if scores.tokens else "",
        f"{evaluation.asked:,} of {words.plural(evaluation.held_out, rows_word(evaluation.source))} asked",
        f"the provider refused {scores.refused:,}" if scores.refused else "",
        _asking_cost(evaluation.cost_usd, is_hosted=is_hosted),
    ]
    said = join(" · ", [mrkdwn("{part}", part=part) for part in parts])
    stopped = _STOPPED.get(evaluation.stopped, "")
    return mrkdwn("{said}. {stopped}", said=said, stopped=stopped) if stopped else said


def _asking_cost(usd: float, *, is_hosted: bool) -> str:
    if usd > 0:
        return f"asking cost {words.money(usd)}"
    return "asking cost nothing beside the hosting" if is_hosted else "asking was free"


def _name(label: str) -> Mrkdwn:
    return mrkdwn("*{label}*", label=words.name(label, NAME_MAX))
