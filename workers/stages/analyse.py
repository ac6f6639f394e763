"""analysing → probing | awaiting_hosting: read the run's result file, explain it and draw it.

The run is paid for and finished: whatever goes wrong here is noted, and never makes the job fail.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING

from finetune.errors import OperationalError
from finetune.explanation import checkpoint_to_use, explain, last
from finetune.results import decoded, parse_results
from jobstore.deliveries import Rank, Shape, card, post
from jobstore.faults import reach
from jobstore.hosting import shown
from jobstore.jobs import Checkpoint, Results
from workers.curves_chart import curves_chart
from workers.provider import ProviderError
from workers.stages.hosting import listed_usd, needs_host

if TYPE_CHECKING:
    from collections.abc import Sequence

    from finetune.explanation import Explanation
    from jobstore.deliveries import Delivery
    from jobstore.jobs import Job
    from jobstore.records import Record
    from workers.workshop import Workshop

log = logging.getLogger(__name__)
TRIES = 5


def analyse(shop: Workshop, record: Record[Job]) -> Record[Job]:
    """Put figures and a picture of the loss into the job's thread."""
    checkpoints = _checkpoints(shop, record.data)
    try:
        results = _results(shop, record, checkpoints)
    except (ProviderError, OperationalError) as error:
        if record.attempts < TRIES:
            raise
        log.warning("results.unreadable", extra={"ref": record.ref.member, "reason": str(error)})
        results = None
    reach("analyse.done")
    analysed = record.having(
        results=results,
        checkpoints=checkpoints,
        note="" if results else NO_RESULTS,
        probe_since_ms=shop.store.now_ms(),
    )
    if needs_host(shop, record.data):
        return _asking(shop, record, dataclasses.replace(analysed, host_usd_per_hour=listed_usd(shop, record.data)))
    return shop.store.transition(
        record,
        "probing",
        analysed,
        event={"type": "RunAnalysed"},
        deliveries=[
            card(record.ref, channel=record.data.channel, rank=Rank.PROGRESS),
            *_posts(record, results, Rank.MILESTONE),
        ],
    )


def _asking(shop: Workshop, record: Record[Job], analysed: Job) -> Record[Job]:
    """Its model answers only from a host, which is paid by the hour: ask whether it is to have one.

    What the run came to is said before that, since it is what the answer depends on.
    """
    question = shown(record.ref, analysed.channel, Rank.TERMINAL)
    return shop.store.transition(
        record,
        "awaiting_hosting",
        analysed,
        event={"type": "RunAnalysed"},
        deliveries=[*_posts(record, analysed.results, Rank.TERMINAL), *question],
    )


NO_RESULTS = "The provider's result file could not be read, so there are no curves. The model is not affected."


def _posts(record: Record[Job], results: Results | None, rank: Rank) -> list[Delivery]:
    if results is None:
        return []
    channel = record.data.channel
    return [
        post(record.ref, "results", channel=channel, rank=rank),
        post(record.ref, "chart", channel=channel, rank=rank, kind=Shape.FILE),
    ]


def _checkpoints(shop: Workshop, job: Job) -> tuple[Checkpoint, ...]:
    """What a later training may go on from; a provider that cannot say is not asked again for that alone."""
    try:
        found = shop.providers[job.request.provider].checkpoints(job.run)
    except ProviderError as error:
        log.warning("checkpoints.unknown", extra={"run": job.run, "reason": error.code})
        return ()
    return tuple(Checkpoint(name=one.name, step=one.step) for one in found)


def _worth_marking(explained: Explanation) -> int | None:
    """The best step, where it is another than the end."""
    return explained.best_step if explained.diagnosis == "overfitting" else None


def _results(shop: Workshop, record: Record[Job], checkpoints: Sequence[Checkpoint]) -> Results | None:
    job, team = record.data, record.ref.team
    if not job.result_file:
        return None
    content = decoded(shop.providers[job.request.provider].download(job.result_file))
    curves = parse_results(content)
    explained = explain(curves, held_out=bool(job.valid_file))
    better = checkpoint_to_use(curves, [one.step for one in checkpoints])
    csv, _ = shop.blobs.put(team, [content])
    chart, _ = shop.blobs.put(team, [curves_chart(curves, title=job.title, best_step=_worth_marking(explained))])
    return Results(
        csv=csv,
        chart=chart,
        sentence=explained.sentence,
        next_step=explained.next_step,
        diagnosis=explained.diagnosis,
        final_train_loss=explained.final_train_loss,
        final_valid_loss=explained.final_valid_loss,
        best_step=explained.best_step,
        best_valid_loss=explained.best_valid_loss,
        final_train_accuracy=explained.final_train_accuracy,
        final_valid_accuracy=explained.final_valid_accuracy,
        action=explained.action,
        checkpoint=better or 0,
        figures={name: value for name, series in curves.classification.items() if (value := last(series)) is not None},
    )
