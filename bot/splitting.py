"""Asking for the parts of a dataset: each is a dataset of its own, made by a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.mending import checked, make_version
from finetune.errors import UserError
from finetune.splitting.division import DIVISION_KEYS, divisions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.desk import Desk
    from finetune.permissions import Person
    from jobstore.records import Dataset, Record

__all__ = ["DIVISION_KEYS", "split_dataset"]


def split_dataset(
    desk: Desk, dataset: Record[Dataset], person: Person, values: Mapping[str, str]
) -> tuple[dict[str, str], bool]:
    """Record the parts that a line asks for; return the handle of each, and whether any is new.

    Without a seed, the file's own bytes choose one: the same file is divided the same way. UserError where it cannot.
    """
    report = checked(desk, dataset)
    if dataset.state != "accepted":
        raise UserError(
            "not-accepted", f"{dataset.ref.id} cannot be trained on as it is.", "Mend it first; its report says what."
        )
    wanted = divisions(values, seed=int(dataset.data.sha256[:6], 16), format_name=str(report.format))
    made = {one.part: make_version(desk, dataset, person, one, part=one.part) for one in wanted}
    return {part: ref.id for part, (ref, _) in made.items()}, any(is_new for _, is_new in made.values())
