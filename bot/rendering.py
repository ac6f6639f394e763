"""From an outbox entry to what Slack is given: load what the view needs, and call it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from bot import views
from bot.hosting import host_offer
from bot.last_days import stop_of_job, today_of
from finetune.evaluation import Scores
from finetune.fixes.difference import Difference
from finetune.last_days import IN_SIGHT
from finetune.report import Report
from finetune.splitting.division import Parts
from jobstore.blobs import BlobMissingError
from jobstore.records import Record, Ref
from jobstore.states import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from bot.desk import Desk
    from bot.views import Message
    from jobstore.jobs import Job
    from jobstore.outbox import Attempt
    from jobstore.records import Dataset, Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file for a thread: its bytes, its name and what it is called; of a large one, blocks, and their sum."""

    content: bytes | Iterable[bytes]
    filename: str
    title: str
    blocks_bytes: int = 0

    @property
    def size_bytes(self) -> int:
        """How many bytes there are."""
        return len(self.content) if isinstance(self.content, bytes) else self.blocks_bytes


class NothingToSayError(Exception):
    """The record behind a delivery is no longer kept."""


def render(desk: Desk, team: str, attempt: Attempt) -> Message | Upload:
    """Return what a delivery shows, as its record stands now."""
    if attempt.view in GREETINGS:
        return GREETINGS[attempt.view]()
    record = desk.store.get(Ref.of_member(team, attempt.ref))
    if record is None:
        raise NothingToSayError(attempt.ref)
    try:
        return VIEWS[attempt.view](desk, record)
    except BlobMissingError as error:
        raise NothingToSayError(str(error)) from error


def report_of(desk: Desk, record: Record[Dataset]) -> Report | None:
    """Return a dataset's report, None before it was checked."""
    if not record.data.report:
        return None
    return Report.from_json(desk.blobs.read(record.ref.team, record.data.report))


def _dataset(desk: Desk, record: Record[Dataset]) -> Message:
    report, difference = report_of(desk, record), difference_of(desk, record)
    return views.dataset_card(record, report, model_labels=labels(desk), difference=difference)


def difference_of(desk: Desk, record: Record[Dataset]) -> Difference | Parts | None:
    """Return what a version has changed, or what came of a split; None for a file, and before it is made."""
    made = record.data.made
    if made is None or not made.difference:
        return None
    kept = desk.blobs.read(record.ref.team, made.difference)
    return msgspec.json.decode(kept, type=Parts if made.part else Difference)


def epochs_max(desk: Desk, job: Job) -> int:
    """Return the most epochs that a job's provider trains."""
    return desk.catalogue.service(job.request.provider).epochs_max


def labels(desk: Desk) -> dict[str, str]:
    """Return the models on offer, by the name that people read."""
    return {name: name for name in desk.models}


def _job(desk: Desk, record: Record[Job]) -> Message:
    service = desk.catalogue.service(record.data.request.provider)
    hosting = host_offer(desk, record) if service.hosting == "dedicated" else None
    return views.job_card(record, desk.store.now_ms(), pauses=service.pauses, hosting=hosting)


def _hosting(desk: Desk, record: Record[Job]) -> Message:
    return views.hosting_post(record, host_offer(desk, record), desk.store.now_ms(), _stops(desk, record))


def _chart(desk: Desk, record: Record[Job]) -> Upload:
    results = record.data.results
    if results is None:
        raise NothingToSayError(record.ref.member)
    return Upload(
        content=desk.blobs.read(record.ref.team, results.chart),
        filename=f"{record.ref.id}-loss.png",
        title=views.results_file_title(record),
    )


def _tokens(desk: Desk, record: Record[Dataset]) -> Upload:
    content = desk.blobs.read(record.ref.team, record.data.picture)
    return Upload(content=content, filename=f"{record.ref.id}-tokens.png", title=views.picture_title(record))


def _rows(desk: Desk, record: Record[Dataset]) -> Upload:
    data = record.data
    desk.blobs.open(record.ref.team, data.sha256).close()  # one that is gone is known before Slack is asked
    blocks = desk.blobs.blocks(record.ref.team, data.sha256)
    return Upload(
        content=blocks, filename=data.filename, title=views.rows_title(data.filename), blocks_bytes=data.size_bytes
    )


def _csv(desk: Desk, record: Record[Job]) -> Upload:
    results = record.data.results
    if results is None:
        raise NothingToSayError(record.ref.member)
    content = desk.blobs.read(record.ref.team, results.csv)
    return Upload(content=content, filename=f"{record.ref.id}-steps.csv", title=views.csv_title(record))


def _evaluation(desk: Desk, record: Record[Job]) -> Message:
    scores = scores_of_job(desk, record)
    if scores is None:
        raise NothingToSayError(record.ref.member)
    return views.evaluation_post(record, scores)


def scores_of_job(desk: Desk, record: Record[Job]) -> Scores | None:
    """Return what a model's answers to held-out rows came to, None where it was not asked."""
    found = record.data.evaluation
    if found is None or not found.scores:
        return None
    return msgspec.json.decode(desk.blobs.read(record.ref.team, found.scores), type=Scores)


def _confusion(desk: Desk, record: Record[Job]) -> Upload:
    found = record.data.evaluation
    if found is None or not found.chart:
        raise NothingToSayError(record.ref.member)
    content = desk.blobs.read(record.ref.team, found.chart)
    return Upload(content=content, filename=f"{record.ref.id}-classes.png", title=views.confusion_title(record))


def _ready(desk: Desk, record: Record[Job]) -> Message:
    return views.ready_post(record, _stops(desk, record))


def _stops(desk: Desk, record: Record[Job]) -> date | None:
    """When a model stops, where that is in sight."""
    stops = stop_of_job(desk, record)
    return stops if stops and stops - today_of(desk) <= IN_SIGHT else None


def _failed(desk: Desk, record: Record[Job]) -> Message:
    return views.failed_post(record, said_of(desk, record))


def said_of(desk: Desk, record: Record[Any]) -> str:
    """Return what the provider said of a failure, in its own words."""
    refusal = record.data.refusal
    return desk.blobs.read(record.ref.team, refusal.said).decode() if refusal and refusal.said else ""


def _answer(desk: Desk, record: Record[Prompt]) -> Message:
    job, prompt = _asked(desk, record)
    answer = desk.blobs.read(record.ref.team, record.data.answer).decode()
    if record.data.of:
        first: Record[Prompt] | None = desk.store.get(Ref(record.ref.team, Kind.PROMPT, record.data.of))
        if first is None:
            raise NothingToSayError(record.data.of)
        known = desk.blobs.read(record.ref.team, first.data.answer).decode()
        return views.beside_post(record, job, prompt, (known, answer))
    return views.answer_post(record, job, prompt, answer)


def _prompt_failed(desk: Desk, record: Record[Prompt]) -> Message:
    return views.prompt_failed_post(record, *_asked(desk, record), said_of(desk, record))


def _asked(desk: Desk, record: Record[Prompt]) -> tuple[Record[Job], str]:
    """The job whose model was asked, and what it was asked."""
    job = desk.store.get(Ref(record.ref.team, Kind.JOB, record.data.job))
    if job is None:
        raise NothingToSayError(record.data.job)
    return job, desk.blobs.read(record.ref.team, record.data.text).decode()


VIEWS: dict[str, Callable[[Desk, Record[Any]], Message | Upload]] = {
    "dataset": _dataset,
    "rows": _rows,
    "tokens": _tokens,
    "job": _job,
    "hosting": _hosting,
    "woken": lambda _, record: views.woken_post(record),
    "not_hosted": lambda desk, record: views.not_hosted_post(record, host_offer(desk, record)),
    "not_stopped": lambda _, record: views.not_stopped_post(record),
    "results": lambda desk, record: views.results_post(record, epochs_max(desk, record.data)),
    "chart": _chart,
    "csv": _csv,
    "evaluation": _evaluation,
    "confusion": _confusion,
    "comparison": lambda _, record: views.comparison_post(record),
    "checkpoint": lambda _, record: views.checkpoint_post(record),
    "ready": _ready,
    "failed": _failed,
    "cancelled": lambda _, record: views.cancelled_post(record),
    "stuck": lambda _, record: views.stuck_post(record),
    "unclear": lambda _, record: views.unclear_post(record),
    "deleted": lambda _, record: views.deleted_post(record),
    "answer": _answer,
    "prompt_failed": _prompt_failed,
}
GREETINGS: dict[str, Callable[[], Message]] = {"welcome": views.welcome, "help": views.help_message}
