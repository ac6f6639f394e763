"""What is said in a job's thread when something has come of it; only these mention the person who asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mrkdwn import EMPTY, Mrkdwn, code, join, lines, mention, mrkdwn, prose, quoted
from bot.views import words
from bot.views.blocks import actions, button, context, overflow, section
from bot.views.evaluations import evaluation_post, share_words, what_is_measured
from bot.views.jobs import TOY_NOTE, compare_button, details_button, hosted_words, job_title, stop_button, try_button
from bot.views.message import Message, message
from finetune.catalogue import EPOCHS_MAX
from finetune.metrics import Share
from finetune.next_steps import next_step_of

if TYPE_CHECKING:
    from datetime import date

    from bot.views.message import Block
    from finetune.evaluation import Scores
    from finetune.next_steps import NextStep
    from jobstore.jobs import Job, Results
    from jobstore.records import Record

TEXT_MAX: Final = 900
MORE: Final = (
    ("continue_training", "Continue training"),
    ("reproduce", "Train the same again"),
    ("lineage", "Lineage"),
    ("delete_model", "Delete the model"),
)
"""What can be done with a model besides trying it."""

SAID_MAX: Final = 600
FIGURES_MAX: Final = 6


def results_post(record: Record[Job], epochs_max: int = EPOCHS_MAX) -> Message:
    """What the run's figures say, and the next step to try, of no more epochs than its provider trains."""
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
        actions(_next_button(record, results, epochs_max), _checkpoint_button(record, results), _csv_button(record)),
    )


def results_message(record: Record[Job], scores: Scores | None, epochs_max: int = EPOCHS_MAX) -> Message:
    """All that is known of how well a run did: its figures, and what its model answered to held-out rows."""
    figures = results_post(record, epochs_max)
    measured = evaluation_post(record, scores).blocks if scores else []
    return Message(figures.text, [*figures.blocks, *measured])


def checkpoint_post(record: Record[Job]) -> Message:
    """Which of a run's models answers from now on. Nobody is mentioned: a person chose it."""
    job, model = record.data, words.model_handle(record.ref.id)
    if not job.used_step:
        text = mrkdwn("{title}: {model} answers as it was at the end again.", title=job_title(record), model=model)
        return message(text, section(text), actions(try_button(record)))
    text = mrkdwn(
        "{title}: {model} answers from its checkpoint at step {step} from now on.",
        title=job_title(record), model=model, step=job.used_step,
    )  # fmt: skip
    measured = mrkdwn("Its test accuracy was measured at the end, not here.") if _accuracy(job) else EMPTY
    back = button("Use the last step", "use_last_step", record.ref.member)
    return message(text, section(lines(text, measured)), actions(try_button(record), back))


def results_file_title(record: Record[Job]) -> str:
    """The title of the picture of the loss."""
    return f"{words.name(record.data.title)} ({record.ref.id}): loss by step"


def ready_post(record: Record[Job], stops: date | None = None) -> Message:
    """The model answers: what it is, how well it did, what it took, how to try it. Mentions the person.

    `stops` is the day on which its base stops at the provider, and the model with it.
    """
    job, model = record.data, words.model_handle(record.ref.id)
    text = mrkdwn(
        "{person} *{title}* answers: it is model {model}.{accuracy}",
        person=mention(job.person),
        title=words.name(job.title),
        model=model,
        accuracy=_accuracy(job),
    )
    how = mrkdwn("Press Try it, or type {command}.", command=code(f"/tune try {model} your prompt"))
    return message(
        text,
        section(lines(text, how, hosted_words(record))),
        context(_facts(job, stops)),
        context(TOY_NOTE) if words.is_toy(job.request.model) else None,
        actions(
            try_button(record),
            compare_button(record),
            button("Code", "code", record.ref.member),
            stop_button(record),
            details_button(record),
            overflow("more", MORE, record.ref.member),
        ),
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


def csv_title(record: Record[Job]) -> str:
    """The title of the file with the figures of every step."""
    return f"{words.name(record.data.title)} ({record.ref.id}): every step"


def _accuracy(job: Job) -> Mrkdwn:
    found = job.evaluation
    if found is None or not found.scored:
        return EMPTY
    share = share_words(Share(min(found.right, found.scored), found.scored))
    what = what_is_measured(is_classifier=found.is_classifier).capitalize()
    return mrkdwn(" {what} {share}.", what=what, share=share)


def _next_button(record: Record[Job], results: Results, epochs_max: int) -> Block | None:
    step = next_step(record.data, results, epochs_max)
    return button(step.label, "next_step", record.ref.member) if step else None


def next_step(job: Job, results: Results, epochs_max: int) -> NextStep | None:
    """What to change for the next run."""
    steps = job.progress.total_steps or job.progress.step
    share = results.best_step / steps if results.best_step and steps else None
    return next_step_of(
        results.action,
        job.request,
        epochs=job.trained_epochs,
        rate=job.trained_rate,
        share=share,
        epochs_max=epochs_max,
    )


def _checkpoint_button(record: Record[Job], results: Results) -> Block | None:
    if not results.checkpoint:
        return None
    return button(f"Use checkpoint {results.checkpoint:,}", "use_checkpoint", record.ref.member)


def _csv_button(record: Record[Job]) -> Block:
    return button("CSV", "csv", record.ref.member)


def _figures(job: Job, results: Results) -> Mrkdwn:
    parts = [
        _loss("training loss", results.final_train_loss),
        _loss("validation loss", results.final_valid_loss),
        _best(results),
        _share("training tokens right", results.final_train_accuracy),
        _share("validation tokens right", results.final_valid_accuracy),
        *(
            f"{words.name(name.replace('_', ' '))} {value:.2f}"
            for name, value in [*results.figures.items()][:FIGURES_MAX]
        ),
        f"{words.short_count(job.trained_tokens)} tokens trained" if job.trained_tokens else "",
        _cost(job),
    ]
    return _dotted(parts)


def _best(results: Results) -> str:
    """Where validation loss was lowest, unless that is how the run ended."""
    best, end = _loss("best validation loss", results.best_valid_loss), _loss("", results.final_valid_loss)
    if not best or (end and best.endswith(end)):
        return ""
    return best if results.best_step is None else f"{best} at step {results.best_step:,}"


def _facts(job: Job, stops: date | None) -> Mrkdwn:
    # of a model that is hosted it would be the time that people took to answer
    took_ms = job.ready_ms - job.confirmed_ms if job.ready_ms and job.confirmed_ms and not job.stay else 0
    best = job.results.best_valid_loss if job.results else None
    final = job.results.final_train_loss if job.results else job.progress.train_loss
    loss = _loss("training loss", final) if best is None else _loss("best validation loss", best)
    took = f"took {words.duration(took_ms)}" if took_ms > 0 else ""
    base = f"from {words.model_name(job.request.model)}"
    ends = f"stops on {stops}" if stops else ""
    return _dotted([base, took, loss, _cost(job), ends])


def _dotted(parts: list[str]) -> Mrkdwn:
    return join(" · ", [mrkdwn("{part}", part=part) for part in parts])


def _share(label: str, value: float | None) -> str:
    return "" if value is None else f"{label} {100 * value:.0f}%"


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
