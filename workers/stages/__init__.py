"""What happens to a record in each state that workers act on: load, compute or call, one transition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jobstore.states import Kind
from workers.stages import (
    analyse,
    answer,
    check,
    compare,
    create,
    delete,
    evaluate,
    hosting,
    hosting_end,
    mend,
    prepare,
    probe,
    upload,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobstore.records import Record
    from workers.workshop import Workshop

    Stage = Callable[[Workshop, Record[Any]], Record[Any] | None]

STAGES: Final[dict[tuple[Kind, str], Stage]] = {
    (Kind.DATASET, "mending"): mend.mend,
    (Kind.DATASET, "checking"): check.check_dataset,
    (Kind.JOB, "requested"): prepare.prepare,
    (Kind.JOB, "uploading"): upload.upload,
    (Kind.JOB, "creating"): create.create,
    (Kind.JOB, "analysing"): analyse.analyse,
    (Kind.JOB, "probing"): probe.probe,
    (Kind.JOB, "evaluating"): evaluate.evaluate,
    (Kind.JOB, "deploying"): hosting.deploy,
    (Kind.JOB, "hosted"): hosting_end.watch,
    (Kind.JOB, "stopping"): hosting_end.stop,
    (Kind.JOB, "deleting"): delete.delete,
    (Kind.PROMPT, "asked"): answer.begin,
    (Kind.PROMPT, "answering"): answer.answer,
    (Kind.COMPARISON, "comparing"): compare.compare,
}
