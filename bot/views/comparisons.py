"""What two models made of the same rows: the price before, how far it is, and the verdict with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mrkdwn import EMPTY, Mrkdwn, bold, clip, code, join, lines, mrkdwn, prose
from bot.views import words
from bot.views.blocks import actions, button, context, section
from bot.views.evaluations import rows_word, share_words
from bot.views.jobs import DIGEST_CARRIED
from bot.views.message import Message, message
from bot.views.preformatted import lined_up, preformatted
from finetune.comparison import Verdict
from finetune.metrics import Share
from jobstore.comparisons import BASE

if TYPE_CHECKING:
    from finetune.comparison import Gain, Paired
    from finetune.comparison_request import CompareRequest
    from jobstore.comparisons import Comparison
    from jobstore.jobs import Job
    from jobstore.records import Record

ID_MAX: Final = 120
CELL_MAX: Final = 20
REASON_MAX: Final = 900
CHEAPER: Final = 1.5
"""A price that differs by less is not worth a word."""

_STOPPED: Final = {
    "time": "I stopped after 5 minutes.",
    "price": "I stopped at the most that it may cost.",
    "provider": "The provider stopped answering.",
}


def comparison_post(record: Record[Comparison]) -> Message:
    """The one message of a comparison, in the model's thread: how far it is, and in the end the verdict."""
    data = record.data
    if data.refusal is not None:
        return _failed(data)
    return _on_the_way(data) if data.paired is None else _verdict(data, data.paired)


def _tuned(data: Comparison) -> Mrkdwn:
    return bold(_handle(data.job))


def _other(data: Comparison) -> Mrkdwn:
    return _named(data.against, data.other.base)


def _named(against: str, base: str) -> Mrkdwn:
    """The other model, as people call it."""
    if against == BASE:
        return mrkdwn("its base {base}", base=words.model_name(base))
    return bold(_handle(against)) if _is_ours(against) else code(against).clipped(ID_MAX)


def _is_ours(against: str) -> bool:
    return against[:1] == "j" and against[1:].isdigit()


def _handle(job: str) -> str:
    return clip(words.model_handle(job), CELL_MAX)


def _on_the_way(data: Comparison) -> Message:
    rows = data.rows - data.left_out
    text = mrkdwn(
        "Comparing {tuned} with {other} on {rows}.",
        tuned=_tuned(data), other=_other(data), rows=words.plural(rows, rows_word(data.source)),
    )  # fmt: skip
    asked = f"{data.tuned.asked:,} and {data.other.asked:,} of {rows:,} answered" if data.begun_ms else "waiting"
    return message(text, section(text), context(mrkdwn("{asked}", asked=asked)))


def _failed(data: Comparison) -> Message:
    refusal = data.refusal
    assert refusal is not None
    text = mrkdwn("I could not compare {tuned} with {other}.", tuned=_tuned(data), other=_other(data))
    reason = prose(refusal.message).clipped(REASON_MAX)
    return message(text, section(lines(text, reason, prose(refusal.hint).clipped(REASON_MAX))), context(_cost(data)))


def _verdict(data: Comparison, paired: Paired) -> Message:
    tuned, other = Share(paired.tuned_right, paired.rows), Share(paired.other_right, paired.rows)
    text = mrkdwn(
        "{tuned} against {other}, {rows}: {share}% against {base}%. {verdict}",
        tuned=_tuned(data), other=_other(data), rows=words.plural(paired.rows, rows_word(data.source)),
        share=round(100 * tuned.value), base=round(100 * other.value), verdict=_said(data, paired),
    )  # fmt: skip
    table = lined_up(
        [
            ("", "right", "95%", "an answer"),
            _row(_handle(data.job), tuned, data.tuned.answer_usd),
            _row(_short(data), other, data.other.answer_usd),
        ]
    )
    return message(text, section(text), preformatted(table), context(*_notes(data, paired)))


def _short(data: Comparison) -> str:
    if data.against == BASE:
        return "base"
    return _handle(data.against) if _is_ours(data.against) else clip(data.against, CELL_MAX)


def _row(name: str, share: Share, answer_usd: float) -> tuple[str, ...]:
    _, _, interval = share_words(share).partition(" ")
    return name, f"{share.right:,}/{share.total:,}", interval, words.money(answer_usd)


def _said(data: Comparison, paired: Paired) -> Mrkdwn:
    """The verdict, by the interval alone, and what to do about it."""
    gain, cheaper = paired.gain, _cheaper(data)
    interval = _interval(gain)
    match paired.verdict:
        case Verdict.BETTER if not paired.is_more_than_habit:
            return mrkdwn(
                "Gain {points} ({interval}), but always giving the commonest answer would get {share}%: *no proven"
                " gain* over that. Add rows, or check that their labels are right.",
                points=_points(gain.value), interval=interval, share=round(100 * paired.commonest / paired.rows),
            )  # fmt: skip
        case Verdict.BETTER:
            price = mrkdwn(" {cheaper}.", cheaper=cheaper) if cheaper else EMPTY
            return mrkdwn(
                "Gain {points} ({interval}). *Worth using.*{price}",
                points=_points(gain.value), interval=interval, price=price,
            )  # fmt: skip
        case Verdict.WORSE:
            return mrkdwn("*Worse* ({interval}): {keep}.", interval=interval, keep=_keep(data, cheaper))
        case Verdict.NO_GAIN:
            return mrkdwn("*No proven gain* ({interval}): {keep}.", interval=interval, keep=_keep(data, cheaper))
        case _:
            return mrkdwn(
                "*Not enough rows to tell* ({interval}). Keep more rows aside with {split}, and train it again.",
                interval=interval, split=code("/tune split"),
            )  # fmt: skip


def _keep(data: Comparison, cheaper: Mrkdwn) -> Mrkdwn:
    which = "the base" if data.against == BASE else "the other one"
    keep = mrkdwn("keep {which}", which=which)
    return mrkdwn("{keep}. {cheaper}", keep=keep, cheaper=cheaper) if cheaper else keep


def _cheaper(data: Comparison) -> Mrkdwn:
    """Which of the two is cheaper, and how much; nothing where that is little, or not known."""
    tuned, other = data.tuned.answer_usd, data.other.answer_usd
    if min(tuned, other) <= 0 or max(tuned, other) / min(tuned, other) < CHEAPER:
        return EMPTY
    which = "The base" if data.against == BASE else "The other one"
    name = which if other < tuned else _handle(data.job)
    times = max(tuned, other) / min(tuned, other)
    return mrkdwn("{name} is {times}× cheaper", name=name, times=f"{times:,.1f}".removesuffix(".0"))  # noqa: RUF001


def _points(value: float) -> str:
    return words.plural(round(100 * value), "point")


def _interval(gain: Gain) -> str:
    """The interval in points: "11–23", "−2 to +4"."""  # noqa: RUF002 - a minus, and a range takes an en dash
    low, high = round(100 * gain.low), round(100 * gain.high)
    return f"{low}–{high}" if low > 0 else f"{_signed(low)} to {_signed(high)}"  # noqa: RUF001 - the same


def _signed(points: int) -> str:
    return f"{points:+d}".replace("-", "−") if points else "0"  # noqa: RUF001 - a minus


def _notes(data: Comparison, paired: Paired) -> list[Mrkdwn]:
    other = "the base" if data.against == BASE else _short(data)
    tuned = _handle(data.job)
    parts = [
        f"both right on {paired.both:,}, only {tuned} on {paired.only:,}, only {other} on {paired.other:,}",
        f"{words.plural(data.left_out, 'row')} left out: {other} was trained on them" if data.left_out else "",
        f"the provider refused {paired.refused:,}" if paired.refused else "",
        _STOPPED.get(data.stopped, "").removesuffix("."),
    ]
    said = join(" · ", [mrkdwn("{part}", part=part) for part in parts if part])
    unknown = not data.other.job and data.against != BASE
    return [said, join(" ", [_cost(data), READ_AS, LEARNT_UNKNOWN if unknown else EMPTY])]


READ_AS: Final = mrkdwn("Capitals, and a full stop at the end, count for neither.")
LEARNT_UNKNOWN: Final = mrkdwn("I don't know what the other model was trained on: these rows may be among it.")


def _cost(data: Comparison) -> Mrkdwn:
    return mrkdwn(
        "{cost}", cost="Asking was free." if data.cost_usd <= 0 else f"Asking cost {words.money(data.cost_usd)}."
    )


def compare_offer_message(request: CompareRequest, comparison: Comparison, member: str) -> Message:
    """What a comparison may cost, with the button that confirms exactly that, to the person who asks for it."""
    rows = words.plural(comparison.rows, rows_word(comparison.source))
    text = mrkdwn(
        "Comparing {tuned} with {other} on {rows} costs at most {most}.",
        tuned=_tuned(comparison), other=_other(comparison), rows=rows, most=words.money(_most_usd(comparison)),
    )  # fmt: skip
    asked = mrkdwn(
        "{tuned} still has {tuned_rows} to answer, the other {other_rows}. Prices of {day}.",
        tuned=_tuned(comparison), tuned_rows=words.plural(request.tuned_rows, "row"),
        other_rows=f"{request.other_rows:,}", day=words.name(request.prices_as_of),
    )  # fmt: skip
    value = f"{request.digest()[:DIGEST_CARRIED]}/{request.against} {member}"
    press = button(f"Compare, at most {words.money(_most_usd(comparison))}", "compare_models", value, style="primary")
    return message(text, section(text), context(asked), actions(press))


def _most_usd(comparison: Comparison) -> float:
    """What is set aside: the price rounded up to a cent."""
    return comparison.reserved_micros / 1_000_000


def comparison_coming(comparison: Comparison) -> Message:
    """A comparison was confirmed."""
    text = mrkdwn(
        "Comparing {tuned} with {other}. What comes of it is in its thread.",
        tuned=_tuned(comparison), other=_other(comparison),
    )  # fmt: skip
    return message(text, section(text))


def base_asked(job: Record[Job]) -> Message:
    """A base model is asked what the model tuned from it was asked."""
    text = mrkdwn(
        "Asked {base} the same. Both answers come in the thread.", base=words.model_name(job.data.request.model)
    )
    return message(text, section(text))


def compared_already(comparison: Comparison) -> Message:
    """The same comparison goes on, or was made: nothing is paid twice."""
    stands = "is being made" if comparison.paired is None else "stands"
    text = mrkdwn(
        "That comparison {stands} in the thread of {tuned} already: the same models, the same rows.",
        stands=stands, tuned=_tuned(comparison),
    )  # fmt: skip
    return message(text, section(text))
