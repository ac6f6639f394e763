"""The small forms: trying a model, deleting it; and a job's details."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.mrkdwn import Mrkdwn, bold, mrkdwn, prose
from bot.views import words
from bot.views.blocks import context, modal, section, text_input
from bot.views.details import details_blocks
from bot.views.jobs import TOY_NOTE, job_title

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from bot.views.message import Block
    from jobstore.jobs import Job
    from jobstore.records import Record


def try_modal(
    job: Record[Job], *, prompt: str, metadata: str, temperature: str = "0", max_tokens: str = "256", notice: str = ""
) -> Block:
    """The form that puts a prompt to a job's model."""
    return modal(
        "try",
        "Try the model",
        [
            section(mrkdwn("Ask {model}, {title}.", model=_handle(job), title=job_title(job))),
            context(TOY_NOTE) if words.is_toy(job.data.request.model) else None,
            section(prose(notice)) if notice else None,
            text_input("prompt", "Prompt", prompt, multiline=True, hint="Written the way the training rows are."),
            text_input("temperature", "Temperature", temperature, hint="0 is always the same answer; up to 2."),
            text_input("max_tokens", "Most tokens to answer with", max_tokens),
        ],
        submit="Ask",
        metadata=metadata,
    )


def delete_modal(job: Record[Job], *, metadata: str) -> Block:
    """The form that deletes a model: its name is typed, so that nobody does it by accident."""
    handle = words.model_handle(job.ref.id)
    warning = mrkdwn(
        "This deletes {model}, the model of {title}, at the provider, and its checkpoints. It cannot be undone: to have"
        " it again, it must be trained and paid for again.",
        model=_handle(job),
        title=job_title(job),
    )
    return modal(
        "delete_model",
        "Delete a model",
        [section(warning), text_input("model", f"Type {handle} to delete it", "")],
        submit="Delete for good",
        metadata=metadata,
    )


def details_modal(record: Record[Job], events: Sequence[Mapping[str, Any]], now_ms: int) -> Block:
    """Everything that is known of a job: its request, its ids, what happened when."""
    return modal("details", f"Job {record.ref.id}", details_blocks(record, events, now_ms))


def _handle(job: Record[Job]) -> Mrkdwn:
    return bold(words.model_handle(job.ref.id))
