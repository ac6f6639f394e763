"""Asking a job's model: the form, and recording a test prompt."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from bot import views
from bot.hosting import needs_waking
from finetune.errors import UserError
from jobstore.blobs import BlobMissingError
from jobstore.records import Prompt, Record, Ref
from jobstore.states import ANSWERING

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from bot.desk import Desk
    from finetune.permissions import Person
    from jobstore.jobs import Job

PROMPT_MAX_CHARACTERS = 20_000
TOKENS_MAX = 4_096
HELD_OUT = "The prompt is from a row that was kept out of training."


def insist_on_ready(job: Record[Job]) -> None:
    """Raise the UserError that says why a job's model cannot be asked yet, or ever."""
    if job.state in ANSWERING:
        return
    if needs_waking(job):
        model = "m" + job.ref.id.removeprefix("j")
        raise UserError("asleep", f"{model} is asleep, so it does not answer.", f"Wake it: /tune deploy {model}")
    if job.at.is_final:
        raise UserError("no-model", f"{job.ref.id} has no model: it was {_ended(job.state)}.", "Try /tune list.")
    raise UserError(
        "not-ready", f"The model of {job.ref.id} is not ready yet.", "I'll say so in its thread when it answers."
    )


def open_form(desk: Desk, client: WebClient, job: Record[Job], trigger: str, *, prompt: str = "") -> None:
    """Open the form that tries a model, with a prompt or else with the question of a row it was not trained on."""
    sample = "" if prompt else sample_of(desk, job)
    view = views.try_modal(job, prompt=prompt or sample, metadata=job.ref.member, notice=HELD_OUT if sample else "")
    client.views_open(trigger_id=trigger, view=view)


def sample_of(desk: Desk, job: Record[Job]) -> str:
    """Return the question of a row that was held out, "" where there is none."""
    if not job.data.sample:
        return ""
    try:
        return desk.blobs.read(job.ref.team, job.data.sample).decode()
    except BlobMissingError:  # an example is not worth a refusal
        return ""


def ask_base(desk: Desk, job: Record[Job], prompt: Record[Prompt], person: str) -> None:
    """Put the prompt that a model was asked to its base too; both answers go to the job's thread, side by side.

    Once for each `prompt`: the model's, or the base's own where it did not answer. UserError where nobody knows what
    its answers cost.
    """
    request, asked = job.data.request, prompt.data
    model = desk.catalogue.get(request.model)
    if model is None or model.base_price is None:
        raise UserError(
            "price-unknown",
            f"I don't know what answers of {request.model} cost, so I don't ask it.",
            "Ask whoever runs me to add base_input_usd_per_million and base_output_usd_per_million"
            " (TUNEROOM_PRICE_TABLE).",
        )
    record = Prompt(
        channel=asked.channel,
        person=person,
        job=asked.job,
        text=asked.text,
        model=request.model,
        temperature=asked.temperature,
        max_tokens=asked.max_tokens,
        of=asked.of or prompt.ref.id,
    )
    ref, is_new = desk.store.record(
        prompt.ref.team,
        record,
        dedupe=f"base:{prompt.ref.id}",
        event={"type": "PromptAsked", "job": asked.job, "person": person},
    )
    if is_new:
        desk.doorbell.ring(ref)


def _ended(state: str) -> str:
    return {"failed": "ended by a failure", "cancelled": "cancelled"}.get(state, state)


def parse_temperature(text: str) -> float:
    """Return a sampling temperature from 0 to 2; UserError otherwise."""
    value = text.strip() or "0"
    if not re.fullmatch(r"\d{1,3}(\.\d{1,6})?", value) or not math.isfinite(float(value)) or float(value) > 2:
        raise UserError("temperature-invalid", "The temperature is a number from 0 to 2.", "0 is the most predictable.")
    return float(value)


def ask(
    desk: Desk,
    job: Record[Job],
    person: Person,
    text: str,
    *,
    once: str,
    temperature: float = 0.0,
    max_tokens: int | None = None,
) -> Ref:
    """Record a test prompt and ring for it; the answer goes to the job's thread. The text is kept as a blob."""
    insist_on_ready(job)
    prompt = text.strip()
    if not prompt:
        raise UserError("prompt-empty", "There is no prompt to put to the model.", "Write one after the model's name.")
    if len(prompt) > PROMPT_MAX_CHARACTERS:
        raise UserError("prompt-too-long", "The prompt is longer than 20,000 characters.", "Shorten it.")
    record = Prompt(
        channel=job.data.channel,
        person=person.id,
        job=job.ref.id,
        text=desk.blobs.put_text(job.ref.team, prompt),
        model=job.data.answering,
        temperature=temperature,
        max_tokens=max_tokens,
    )
    ref, is_new = desk.store.record(
        job.ref.team, record, dedupe=once, event={"type": "PromptAsked", "job": job.ref.id, "person": person.id}
    )
    if is_new:
        desk.doorbell.ring(ref)
    return ref
