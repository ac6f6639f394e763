"""Where a job stands, in one sentence and one line of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mrkdwn import EMPTY, Mrkdwn, as_mrkdwn, bold, date, join, mrkdwn, prose
from bot.views import words

if TYPE_CHECKING:
    from jobstore.evaluations import Evaluation
    from jobstore.jobs import Job, Progress
    from jobstore.records import Record

LONG_WAIT_MS: Final = 15 * 60_000
NOTE_MAX: Final = 300
BAR_CELLS: Final = 10
STEPS: Final = ("Prepare", "Upload", "Create", "Queue", "Train", "Results", "Ready")
_STEP_OF_STATE: Final = {
    "requested": 0,
    "awaiting_approval": 0,
    "uploading": 1,
    "creating": 2,
    "unclear": 2,
    "queued": 3,
    "training": 4,
    "analysing": 5,
    "probing": 6,
    "evaluating": 6,
    "awaiting_hosting": 6,
    "deploying": 6,
    "unclear_host": 6,
    "stopping": 6,
    "ready": 7,
    "hosted": 7,
}
_SENTENCES: Final = {
    "requested": mrkdwn("Preparing the rows."),
    "awaiting_approval": mrkdwn("Waiting for somebody else to approve it."),
    "uploading": mrkdwn("Sending the rows to the provider."),
    "creating": mrkdwn("Asking the provider to start the run."),
    "unclear": mrkdwn("The provider's answer was lost. Somebody has to decide in the thread before I go on."),
    "analysing": mrkdwn("Trained. Reading the results."),
    "probing": mrkdwn("Trained. Waiting for the model to answer…"),
    "evaluating": mrkdwn("Trained. Asking it about rows it was not trained on."),
    "awaiting_hosting": mrkdwn("Trained. It answers only while it is hosted: choose in the thread."),
    "deploying": mrkdwn("Trained. Its host is being started, which can take minutes."),
    "unclear_host": mrkdwn("The provider's answer was lost. Somebody has to decide in the thread before I go on."),
    "stopping": mrkdwn("The model is being put to sleep."),
    "asleep": mrkdwn("Trained. The model is asleep: it answers once it is woken."),
    "cancelled": mrkdwn("Cancelled."),
    "deleting": mrkdwn("Deleting the model at the provider."),
    "deleted": mrkdwn("The model is deleted."),
}
_WISHES: Final = {"pause": mrkdwn("*Pausing.*"), "resume": mrkdwn("*Resuming.*")}
_SHORT: Final = {
    "awaiting_hosting": "trained, not hosted",
    "deploying": "being hosted",
    "unclear_host": "unclear",
    "stopping": "going to sleep",
}
"""States that people would not call by their own names."""
_NO_REASON: Final = mrkdwn("The provider gave no reason.")


def stage_sentence(record: Record[Job], now_ms: int) -> Mrkdwn:
    """Return what is happening: "Training: step 340/900, loss 1.02 ↓, about 14 min left."."""
    sentence = _sentence(record, now_ms)
    if _is_cancelling(record):
        return mrkdwn("*Cancelling.* {sentence}", sentence=sentence)
    if record.data.wish in _WISHES and not record.at.is_final:
        return mrkdwn("{wish} {sentence}", wish=_WISHES[record.data.wish], sentence=sentence)
    return sentence


def stage_steps(record: Record[Job]) -> Mrkdwn:
    """Return the job's steps in order, those done ticked and the present one in bold; nothing once it has ended."""
    at = _STEP_OF_STATE.get(record.state, len(STEPS))
    if record.at.is_final:
        return EMPTY
    return join("  ·  ", [_step(step, index, at) for index, step in enumerate(STEPS)])


def stage_note(record: Record[Job]) -> Mrkdwn:
    """Return what is to be said besides: what we are waiting for, and for whom."""
    return prose(record.data.note).clipped(NOTE_MAX)


def stage_short(record: Record[Job]) -> str:
    """Return the stage in a word or two, for lists: "training 38%"."""
    if _is_cancelling(record):
        return "cancelling"
    progress = record.data.progress
    if record.state == "training" and progress.total_steps:
        return f"{_status_word(progress)} {percent(progress)}%"
    return _SHORT.get(record.state, record.state)


def _is_cancelling(record: Record[Job]) -> bool:
    """Whether it is on its way to be cancelled; a run that was over before that leaves a model."""
    return record.cancel and not record.at.is_final and not record.data.model


def percent(progress: Progress) -> int:
    """Return how much of a run is done, as a whole percentage."""
    return min(100, 100 * progress.step // progress.total_steps) if progress.total_steps > 0 else 0


def left_ms(progress: Progress, now_ms: int) -> float | None:
    """Return how long the rest of the steps takes at the pace so far; None while that cannot be told."""
    elapsed_ms, left = progress.last_step_ms - progress.first_step_ms, progress.total_steps - progress.step
    if progress.step < 2 or elapsed_ms <= 0 or left <= 0 or not progress.first_step_ms:
        return None
    since_ms = max(0, now_ms - progress.last_step_ms)
    return max(0.0, elapsed_ms / (progress.step - 1) * left - since_ms)


def _sentence(record: Record[Job], now_ms: int) -> Mrkdwn:
    job = record.data
    match record.state:
        case "uploading" if job.send_bytes:
            said = _uploading(job)
        case "queued":
            said = _queued(job, now_ms)
        case "training":
            said = _training(job.progress, now_ms)
        case "evaluating" if job.evaluation:
            said = _evaluating(job.evaluation)
        case "hosted" if job.stay:
            said = mrkdwn(
                "*Ready.* {model} answers, hosted until {until}.",
                model=words.model_handle(record.ref.id), until=date(job.stay.until_ms),
            )  # fmt: skip
        case "ready" | "hosted":
            said = mrkdwn("*Ready.* {model} answers.", model=words.model_handle(record.ref.id))
        case "failed":
            reason = prose(job.refusal.message).clipped(600) if job.refusal else _NO_REASON
            said = mrkdwn("*Failed.* {reason}", reason=reason)
        case state:
            said = _SENTENCES[state]
    return said


def _uploading(job: Job) -> Mrkdwn:
    done = min(BAR_CELLS, BAR_CELLS * job.sent_bytes // job.send_bytes)
    return mrkdwn(
        "Sending the rows to the provider: {bar} {sent} of {whole}.",
        bar="▓" * done + "░" * (BAR_CELLS - done),
        sent=words.size(job.sent_bytes),
        whole=words.size(job.send_bytes),
    )


def _evaluating(found: Evaluation) -> Mrkdwn:
    return mrkdwn(
        "Trained. Asking it about rows it was not trained on: {asked} of {rows}.", asked=found.asked, rows=found.rows
    )


def _queued(job: Job, now_ms: int) -> Mrkdwn:
    if job.progress.status == "validating_files":
        return mrkdwn("The provider is checking the rows.")
    since = job.run_created_ms
    if not since:
        return mrkdwn("In the provider's queue.")
    if now_ms - since < LONG_WAIT_MS:
        return mrkdwn("In the provider's queue since {since}.", since=date(since))
    waited = words.duration(now_ms - since)
    return mrkdwn("Queued for {waited} so far. I'm still watching.", waited=waited)


def _training(progress: Progress, now_ms: int) -> Mrkdwn:
    if not progress.step:
        return mrkdwn("{stage}.", stage=bold(_status_word(progress).capitalize()))
    total = f"/{progress.total_steps:,}" if progress.total_steps else ""
    left = None if progress.status.startswith("paus") else left_ms(progress, now_ms)
    parts = [f"step {progress.step:,}{total}", _loss(progress), f"about {words.duration(left)} left" if left else ""]
    said = ", ".join(part for part in parts if part)
    return mrkdwn("{stage}: {said}.", stage=bold(_status_word(progress).capitalize()), said=said)


def _status_word(progress: Progress) -> str:
    return {"paused": "paused", "pausing": "pausing"}.get(progress.status, "training")


def _loss(progress: Progress) -> str:
    if progress.train_loss is None:
        return ""
    before = progress.previous_loss
    now, then = f"{progress.train_loss:.2f}", None if before is None else f"{before:.2f}"
    arrow = "" if then is None or then == now else " ↓" if progress.train_loss < (before or 0.0) else " ↑"
    valid = "" if progress.valid_loss is None else f", validation loss {progress.valid_loss:.2f}"
    return f"loss {now}{arrow}{valid}"


def _step(step: str, index: int, at: int) -> Mrkdwn:
    if index == at:
        return bold(step)
    return mrkdwn("✓ {step}", step=step) if index < at else as_mrkdwn(step)
