"""A test prompt's answer, in the thread of the model's job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mrkdwn import EMPTY, Mrkdwn, clean, clip, join, lines, mrkdwn, prose, quoted, width
from bot.views import words
from bot.views.blocks import SECTION_MAX, actions, button, context, section, verbatim
from bot.views.jobs import TOY_NOTE
from bot.views.message import Message, message
from jobstore.states import ANSWERING

if TYPE_CHECKING:
    from bot.views.message import Block
    from jobstore.jobs import Job
    from jobstore.records import Prompt, Record

SAID_MAX: Final = 600
PROMPT_SHOWN: Final = 300
ANSWER_SECTIONS: Final = 3
SPOKEN_MAX: Final = 300


def answer_post(record: Record[Prompt], job: Record[Job], prompt: str, answer: str) -> Message:
    """The beginning of the prompt, the answer exactly as the model wrote it, and what it took.

    The answer is plain text: whatever it holds, nothing in it is drawn as markup or mentions anybody.
    """
    model = words.model_handle(job.ref.id)
    said = clip(answer, SPOKEN_MAX)
    is_cut = width(clean(answer).strip()) > ANSWER_SECTIONS * SECTION_MAX
    return message(
        mrkdwn("{model} answers: {said}", model=model, said=said or "nothing."),
        section(quoted(prompt, PROMPT_SHOWN)),
        *(verbatim(answer, at_most=ANSWER_SECTIONS) or [section(mrkdwn("The model answered with nothing."))]),
        context(mrkdwn("The answer goes on; Slack shows no more of it.")) if is_cut else None,
        context(_footer(record.data, job), TOY_NOTE if words.is_toy(job.data.request.model) else EMPTY),
        _again(record, job),
    )


def beside_post(record: Record[Prompt], job: Record[Job], prompt: str, answers: tuple[str, str]) -> Message:
    """Side by side what a model and its base made of one prompt; `answers` are the model's and the base's."""
    model, base = words.model_handle(job.ref.id), words.model_name(job.data.request.model)
    said = clip(answers[1], SPOKEN_MAX) or "nothing."
    is_cut = max(width(clean(answer).strip()) for answer in answers) > SECTION_MAX
    return message(
        mrkdwn("{base}, the base of {model}, answers: {said}", base=base, model=model, said=said),
        section(quoted(prompt, PROMPT_SHOWN)),
        *_side(mrkdwn("*{model}*", model=model), answers[0]),
        *_side(mrkdwn("*{base}*, its base", base=base), answers[1]),
        context(mrkdwn("An answer goes on; Slack shows no more of it.")) if is_cut else None,
        context(_footer(record.data, job), TOY_NOTE if words.is_toy(job.data.request.model) else EMPTY),
        _again(record, job),
    )


def _side(name: Mrkdwn, answer: str) -> list[Block]:
    return [section(name), *(verbatim(answer, at_most=1) or [section(mrkdwn("The model answered with nothing."))])]


def prompt_failed_post(record: Record[Prompt], job: Record[Job], prompt: str, said: str) -> Message:
    """Why there is no answer, and what to do. `said`: the provider's own words, "" where there are none."""
    refusal = record.data.refusal
    model = words.model_name(record.data.model) if record.data.of else words.model_handle(job.ref.id)
    reason = prose(refusal.message).clipped(900) if refusal else mrkdwn("It gave no reason.")
    text = mrkdwn("{model} did not answer. {reason}", model=model, reason=reason)
    hint = prose(refusal.hint).clipped(900) if refusal else EMPTY
    return message(
        text,
        section(quoted(prompt, PROMPT_SHOWN)),
        section(lines(text, quoted(said, SAID_MAX) if said else EMPTY, hint)),
        _again(record, job),
    )


def _again(record: Record[Prompt], job: Record[Job]) -> Block | None:
    """Try again, and ask the base too, carrying the prompt's own handle: what was asked is not asked for again."""
    if record.data.of and record.state == "failed":
        return actions(button("Ask its base again", "ask_base", record.ref.member))
    again = button("Try again", "try_model", record.ref.member) if job.state in ANSWERING else None
    may_ask_base = record.state == "answered" and not record.data.of
    return actions(again, button("Ask its base too", "ask_base", record.ref.member) if may_ask_base else None)


def _footer(prompt: Prompt, job: Record[Job]) -> Mrkdwn:
    parts = [
        words.model_name(prompt.model) if prompt.of else words.model_handle(job.ref.id),
        f"{prompt.latency_ms / 1000:.1f} s",
        words.plural(prompt.tokens, "token"),
        "" if prompt.cost_usd is None else words.money(prompt.cost_usd),
        "cut at the most tokens you allowed" if prompt.finish == "length" else "",
    ]
    return join(" · ", [mrkdwn("{part}", part=part) for part in parts])
