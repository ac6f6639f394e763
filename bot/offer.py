"""What a dataset can be trained on and measured by: bases, tuned models, other datasets; what is not, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from bot.rendering import report_of
from bot.views import words
from finetune.errors import UserError
from finetune.evaluation import CLASSES_MIN, EXACT_TASKS
from finetune.guidance import TASKS, guidance_for
from finetune.launch import Parent
from jobstore.records import Ref
from jobstore.states import TRAINED, Kind

if TYPE_CHECKING:
    from datetime import date

    from bot.desk import Desk
    from finetune.catalogue import Model, Service
    from finetune.guidance import Guidance, Task
    from finetune.report import Report
    from jobstore.jobs import Job
    from jobstore.records import Dataset, Record

OTHERS_MAX: Final = 20
"""Tuned models and other datasets: the newest so many are offered; any other one can be named in a command."""

NAMED_MAX: Final = 6
"""So many base models are named in a sentence."""

_TUNED: Final = re.compile(r"[mM](\d{1,9})(?:@(\d{1,9}))?")


@dataclass(frozen=True, slots=True)
class Start:
    """What training may start from, and where. `value` is what a form or a command calls it: a base, "m7", "m7@600"."""

    value: str
    label: str
    model: str
    provider: str
    parent: Parent | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What is on offer for one dataset, in one channel, today."""

    desk: Desk
    dataset: Record[Dataset]
    report: Report

    def service(self, provider: str) -> Service:
        """Return what a provider can do."""
        return self.desk.catalogue.service(provider)

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes of rows to be sorted; none where they teach something else."""
        contract = self.report.contract
        return tuple(label.name for label in contract.labels) if contract else ()

    def guidance(self, start: Start) -> Guidance | None:
        """Return what is good for what these rows teach; too little for a model that begins from nothing."""
        task: Task | None = next((one for one in TASKS if one == self.report.task), None)
        return guidance_for(task) if task and not self.service(start.provider).from_scratch else None

    @property
    def today(self) -> date:
        """The day by Redis's clock."""
        return datetime.fromtimestamp(self.desk.store.now_ms() / 1000, UTC).date()

    def asking_usd(self, start: Start) -> float:
        """Return the most that asking about held-out rows afterwards costs besides; 0 where it is free or not done."""
        is_asked = len(self.labels) >= CLASSES_MIN or self.report.task in EXACT_TASKS
        model = self.desk.catalogue.get(start.model)
        costs = bool(model and model.input_usd_per_million and model.output_usd_per_million is not None)
        if self.service(start.provider).hosting == "dedicated" or not self.desk.evaluation_rows:
            return 0.0  # on a host it is the hour that is paid
        return self.desk.evaluation_usd if is_asked and costs else 0.0

    def bases(self) -> list[Start]:
        """Return the base models that take these rows; UserError where there is none."""
        on_offer = [name for name in self.desk.models if self._refusal(name) == ""]
        found = [Start(name, name, name, self.desk.provider_of(name)) for name in on_offer]
        if not found:
            why = "; ".join(f"{name} {reason}" for name, reason in self.not_offered()[:3])
            raise UserError(
                "no-model-for-format",
                f"No model on offer here takes {self.report.format} rows{f': {why}' if why else ''}.",
                "Convert the rows to chat, or ask whoever runs me to offer another model (TUNEROOM_MODELS).",
            )
        return found

    def tuned(self) -> list[Start]:
        """Return the channel's tuned models, newest first, each with its checkpoints."""
        jobs = self.desk.store.listed(self.dataset.ref.team, Kind.JOB, self.dataset.data.channel, OTHERS_MAX)
        return [start for job in jobs if self._can_go_on(job) for start in _starts(job)]

    def start(self, named: str) -> Start:
        """Return what is called so, in a form or a command; UserError says why it is not offered."""
        if tuned := _TUNED.fullmatch(named.strip()):
            return self._tuned(f"m{tuned[1]}", tuned[2] or "")
        model = self.desk.catalogue.get(named.strip())
        name = model.name if model else named.strip()
        found = next((base for base in self.bases() if base.value == name), None)
        if found is None:
            here = ", ".join(base.value for base in self.bases()[:NAMED_MAX])
            raise UserError("model-not-offered", self._why_not(name), f"These can be trained here: {here}.")
        return found

    def validations(self) -> list[Record[Dataset]]:
        """Return the other checked datasets of this channel whose rows are of the same format, newest first."""
        listed = self.desk.store.listed(self.dataset.ref.team, Kind.DATASET, self.dataset.data.channel, OTHERS_MAX)
        return [one for one in listed if self._why_not_validation(one) == ""]

    def validation(self, handle: str) -> Record[Dataset]:
        """Return the dataset that is to measure the run; UserError says why it cannot."""
        named = handle.strip().lower()
        known = re.fullmatch(r"d\d{1,9}", named)
        found = self.desk.store.get(Ref(self.dataset.ref.team, Kind.DATASET, named)) if known else None
        if found is None or found.data.channel != self.dataset.data.channel:
            raise UserError(
                "valid-unknown",
                "I know no such dataset in this channel.",
                "valid= takes 10%, none, or one such as d13.",
            )
        if why := self._why_not_validation(found):
            raise UserError("valid-refused", f"{named} cannot measure this run: it {why}.", "Choose another dataset.")
        return found

    def not_offered(self) -> list[tuple[str, str]]:
        """Return (model, why) of what is not offered for these rows."""
        names = dict.fromkeys([*self.desk.models, *(model.name for model in self._of_provider())])
        return [(name, why) for name in names if (why := self._refusal(name))]

    def _of_provider(self) -> list[Model]:
        return [model for model in self.desk.catalogue.models if model.provider in self.desk.providers]

    def _refusal(self, name: str) -> str:
        model = self.desk.catalogue.get(name)
        if model is None or self.report.format is None:
            return "is not in the price table"
        return model.refusal(self.report.format, self.today)

    def _why_not(self, name: str) -> str:
        if why := dict(self.not_offered()).get(name):
            return f"{words.name(name)} is not offered: it {why}."
        if model := self.desk.catalogue.get(name):
            who = self.service(model.provider).shown
            return f"{words.model_name(name)} is trained by {who}, and I have no key for that here."
        return "This model is not on offer here."

    def _can_go_on(self, job: Record[Job]) -> bool:
        return self._why_not_further(job) == ""

    def _why_not_further(self, job: Record[Job]) -> str:
        """Why training cannot go on from a job's model, as what follows a colon."""
        request = job.data.request
        if job.state not in TRAINED or not job.data.model:
            return "it has no model that is ready"
        service = self.service(request.provider)
        if request.provider not in self.desk.providers:
            return f"it was trained by {service.shown}, and I have no key for that here"
        if not service.continues:
            return f"{service.shown} does not go on from tuned models"
        refusal = self._refusal(request.model)
        return f"its base, {words.model_name(request.model)}, {refusal}" if refusal else ""

    def _tuned(self, handle: str, step: str) -> Start:
        job = self.desk.store.get(Ref(self.dataset.ref.team, Kind.JOB, handle.replace("m", "j")))
        if job is None or job.data.channel != self.dataset.data.channel:
            raise UserError(
                "model-unknown",
                f"I know no model {handle} in this channel.",
                "/tune list models shows those there are.",
            )
        if why := self._why_not_further(job):
            raise UserError(
                "model-not-ready",
                f"Training cannot go on from {handle}: {why}.",
                "Choose another one, or a base model.",
            )
        starts = _starts(job)
        wanted = f"{handle}@{int(step)}" if step else handle
        found = next((start for start in starts if start.value == wanted), None)
        if found is None:
            known = ", ".join(start.value for start in starts[1:]) or "none"
            raise UserError("checkpoint-unknown", f"{handle} has no checkpoint at step {step}.", f"It has {known}.")
        return found

    def _why_not_validation(self, other: Record[Dataset]) -> str:
        if other.data.sha256 == self.dataset.data.sha256:
            return "has the same rows"
        if other.state != "accepted":
            return "is not accepted"
        report = report_of(self.desk, other)
        if report is None or report.format != self.report.format:
            return f"has no {self.report.format} rows"
        return ""


def _starts(job: Record[Job]) -> list[Start]:
    handle, data = words.model_handle(job.ref.id), job.data
    base = words.model_name(data.request.model)
    finished = Start(
        handle,
        f"{handle} {words.name(data.title, 30)} ({base})",
        data.request.model,
        data.request.provider,
        Parent(job=job.ref.id, name=data.model),
    )
    earlier = [
        Start(
            f"{handle}@{point.step}",
            f"{handle} at step {point.step:,}",
            data.request.model,
            data.request.provider,
            Parent(job=job.ref.id, name=point.name, step=point.step),
        )
        for point in data.checkpoints
    ]
    return [finished, *earlier]
