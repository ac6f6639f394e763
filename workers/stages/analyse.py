"""analysing → probing: read the run's result file, explain it and draw it.

The run is paid for and finished: whatever goes wrong here is noted, and never makes the job fail.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from finetune.errors import OperationalError
from finetune.explanation import explain
from finetune.results import parse_results
from jobstore.deliveries import Rank, Shape, card, post
from jobstore.faults import reach
from jobstore.records import Results
from workers.charts import loss_chart
from workers.provider import ProviderError

if TYPE_CHECKING:
    from jobstore.deliveries import Delivery
    from jobstore.records import Job, Record
    from workers.workshop import Workshop

log = logging.getLogger(__name__)
TRIES = 5


def analyse(shop: Workshop, record: Record[Job]) -> Record[Job]:
    """Put figures and a picture of the loss into the job's thread."""
    try:
        results = _results(shop, record)
    except (ProviderError, OperationalError) as error:
        if record.attempts < TRIES:
            raise
        log.warning("results.unreadable", extra={"ref": record.ref.member, "reason": str(error)})
        results = None
    reach("analyse.done")
    return shop.store.transition(
        record,
        "probing",
        record.having(results=results, note="" if results else NO_RESULTS, probe_since_ms=shop.store.now_ms()),
        event={"type": "RunAnalysed"},
        deliveries=[card(record.ref, channel=record.data.channel, rank=Rank.PROGRESS), *_posts(record, results)],
    )


NO_RESULTS = "The provider's result file could not be read, so there are no curves. The model is not affected."


def _posts(record: Record[Job], results: Results | None) -> list[Delivery]:
    if results is None:
        return []
    channel = record.data.channel
    return [
        post(record.ref, "results", channel=channel, rank=Rank.MILESTONE),
        post(record.ref, "chart", channel=channel, rank=Rank.MILESTONE, kind=Shape.FILE),
    ]


def _results(shop: Workshop, record: Record[Job]) -> Results | None:
    job, team = record.data, record.ref.team
    if not job.result_file:
        return None
    content = shop.providers[job.request.provider].result_csv(job.result_file)
    curves = parse_results(content)
    explained = explain(curves)
    csv, _ = shop.blobs.put(team, [content])
    chart, _ = shop.blobs.put(team, [loss_chart(curves, title=job.title)])
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
    )
