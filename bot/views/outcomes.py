"""What is said in a job's thread when something has come of it; only these mention the person who asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mrkdwn import EMPTY, Mrkdwn, code, join, lines, mention, mrkdwn, prose, quoted
from bot.views import words
from bot.views.blocks import actions, button, confirmation, context, section
from bot.views.jobs import TOY_NOTE, details_button, job_title, try_button
from bot.views.message import Message, message

if TYPE_CHECKING:
    from jobstore.records import Job, Record, Results

TEXT_MAX: Final = 900
SAID_MAX: Final = 600


def results_post(record: Record[Job]) -> Message:
    """What the run's figures say, and the next step to try."""
    results = record.data.results
    if results is None:
        text = mrkdwn("{title} is trained. There are no figures to show for it.", title=job_title(record))
        return message(text, section(text))
    sentence = prose(results.sentence).clipped(TEXT_MAX)
    next_step = prose(results.next_step).clipped(TEXT_MAX)
    return message(
        mrkdwn("Results of {title}: {sentence}", title=job_title(record), sentence=sentence),
        section(lines(mrkdwn("*Results.* {sentence}", sentence=sentence), next_step)),
        context(_figures(record.data, results)),
    )


def results_file_title(record: Record[Job]) -> str:
    """The title of the picture of the loss."""
    return f"{words.name(record.data.title)} ({record.ref.id}): loss by step"


def ready_post(record: Record[Job]) -> Message:
    """The model answers: what it is, what it took, how to try it. Mentions the person."""
    job, model = record.data, words.model_handle(record.ref.id)
    text = mrkdwn(
        "{person} *{title}* answers: it is model {model}.",
        person=mention(job.person),
        title=words.name(job.title),
        model=model,
    )
    how = mrkdwn("Press Try it, or type {command}.", command=code(f"/tune try {model} your prompt"))
    return message(
        text,
        section(lines(text, how)),
        context(_facts(job)),
        context(TOY_NOTE) if words.is_toy(job.request.model) else None,
        actions(try_button(record), details_button(record)),
    )


def failed_post(record: Record[Job], said: str) -> Message:
    """Why there is no model, what to do, and what it cost if that is known. Mentions the person.

    `said`: the provider's own words, "" where there are none.
    """
    refusal = record.data.refusal
    reason = prose(refusal.message).clipped(TEXT_MAX) if refusal else mrkdwn("The provider gave no reason.")
    text = mrkdwn(
        "{person} {title} failed: {reason}", person=mention(record.data.person), title=job_title(record), reason=reason
    )
    hint = prose(refusal.hint).clipped(TEXT_MAX) if refusal else EMPTY
    words_said = quoted(said, SAID_MAX) if said else EMPTY
    return message(text, section(lines(text, words_said, hint, _charged(record.data))), actions(details_button(record)))


def cancelled_post(record: Record[Job]) -> Message:
    """The job was stopped. Nobody is mentioned: a person did it."""
    text = mrkdwn("{title} is cancelled.", title=job_title(record))
    charged = _charged(record.data) or mrkdwn("The provider may charge for what it had trained by then.")
    return message(text, section(join(" ", [text, charged])))


def unclear_post(record: Record[Job]) -> Message:
    """Nobody knows whether a run exists: the person decides. Mentions the person."""
    text = mrkdwn(
        "{person} {title}: the provider's answer was lost. I found no run, and won't risk paying twice without you.",
        person=mention(record.data.person),
        title=job_title(record),
    )
    how = mrkdwn(
        "If the provider's own page shows the run, name it and I follow it. If it shows none, a new one can be started."
    )
    twice = confirmation(
        "Start a new run?",
        "If the lost request did start a run, you pay for both. Look at the provider's own page first.",
        yes="Start a new run",
        no="Not yet",
        style="danger",
    )
    lost = confirmation(
        "Give up on this run?",
        "If the lost request did start a run, it goes on at the provider and is charged, and I don't follow it.",
        yes="Give up",
        no="Not yet",
        style="danger",
    )
    member = record.ref.member
    return message(
        text,
        section(lines(text, how)),
        actions(
            button("Name its run", "name_run", member, style="primary"),
            button("Start new (may pay twice)", "start_anew", member, style="danger", confirm=twice),
            button("Give up", "give_up", member, confirm=lost),
        ),
    )


def _figures(job: Job, results: Results) -> Mrkdwn:
    best = "" if results.best_step is None else f" at step {results.best_step:,}"
    parts = [
        _loss("training loss", results.final_train_loss),
        _loss("validation loss", results.final_valid_loss),
        _loss("best validation loss", results.best_valid_loss) + best if results.best_valid_loss is not None else "",
        f"{words.short_count(job.trained_tokens)} tokens trained" if job.trained_tokens else "",
        _cost(job),
    ]
    return _dotted(parts)


def _facts(job: Job) -> Mrkdwn:
    took_ms = job.ready_ms - job.confirmed_ms if job.ready_ms and job.confirmed_ms else 0
    best = job.results.best_valid_loss if job.results else None
    final = job.results.final_train_loss if job.results else job.progress.train_loss
    loss = _loss("training loss", final) if best is None else _loss("best validation loss", best)
    took = f"took {words.duration(took_ms)}" if took_ms > 0 else ""
    base = f"from {words.model_name(job.request.model)}"
    return _dotted([base, took, loss, _cost(job)])


def _dotted(parts: list[str]) -> Mrkdwn:
    return join(" · ", [mrkdwn("{part}", part=part) for part in parts])


def _loss(label: str, value: float | None) -> str:
    return "" if value is None else f"{label} {value:.2f}"


def _cost(job: Job) -> str:
    if job.cost_usd is None:
        return ""
    return "free" if job.cost_usd <= 0 else f"cost {words.money(job.cost_usd)}"


def _charged(job: Job) -> Mrkdwn:
    if job.cost_usd is not None:
        amount = "Nothing" if job.cost_usd <= 0 else words.money(job.cost_usd)
        return mrkdwn("{amount} was charged.", amount=amount)
    if not job.run and (job.intent is None or not job.intent.posted_ms):
        return mrkdwn("No run was started, so nothing was charged.")
    return EMPTY
