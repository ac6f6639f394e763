"""A workbook and a Korean CSV are read in a worker's fork, and what is trained on is what was checked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.finetune.test_containers import table
from tests.finetune.test_workbooks import records, sheet, workbook

if TYPE_CHECKING:
    from tests.flows.conversation import Conversation


def rows(name: str) -> list[dict[str, str]]:
    return [{"prompt": f"{name} 문의 {n} ->", "completion": f" 환불 {n % 3}"} for n in range(60)]


def test_a_workbook_is_read_in_a_process_of_the_worker_s_fork(talk: Conversation) -> None:
    content = workbook(sheet(records(rows(talk.name))))
    card = talk.report(talk.drop(content, filename=f"{talk.name}.xlsx"))
    assert "60 rows" in card.text


def test_a_korean_table_is_trained_on_as_it_was_checked(talk: Conversation) -> None:
    report = talk.report(talk.drop(table(rows(talk.name)).encode("cp949"), filename=f"{talk.name}.csv"))
    assert "read as Korean" in json.dumps(report.blocks, ensure_ascii=False)
    talk.launch(report)
    talk.finish()
    job = talk.job().data
    trained: list[dict[str, str]] = []
    for blob in filter(None, (job.train_blob, job.valid_blob)):
        (path,) = (talk.stack.home / "blobs").rglob(blob)
        trained += [json.loads(line) for line in path.read_bytes().splitlines()]
    assert sorted(row["prompt"] for row in trained) == sorted(row["prompt"] for row in rows(talk.name))
    assert all(row.keys() == {"prompt", "completion"} for row in trained)
