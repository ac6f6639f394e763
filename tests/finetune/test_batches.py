"""Many rows are studied by a companion; the report is that of one process, also when the companion is lost."""

import os
import random
import signal
from collections.abc import Iterator

import pytest

from finetune.check import check
from finetune.checking import batches
from finetune.checking.companion import Companion, CompanionLostError
from finetune.checking.study import Studied, TokenStudy, look_at
from finetune.counting.tokens import TokenCounter
from tests.finetune.rows import CATALOGUE, chat, jsonl, message, report_of

ROWS = [
    [text.encode() for text in ("system", "Be kind.", "user", f"Nr. {number}: 왜?", "assistant", "Because. " * number)]
    for number in range(90)
]


@pytest.fixture
def companion() -> Iterator[Companion]:
    started = Companion(["o200k_base"], None)
    yield started
    started.close()


def varied_file(rows: int = 400) -> bytes:
    rng = random.Random(8)
    words = ["".join(rng.choices("abcdefghijklmnop한국어日本語 ", k=rng.randint(1, 9))) for _ in range(3_000)]
    every = [chat(number, message("assistant", " ".join(rng.choices(words, k=120)))) for number in range(rows)]
    every[100] = every[3]
    every[200] = chat(200, message("user", "write to kim@naver.com \ud800"), message("assistant", "done"))
    every[300] = {"messages": []}
    return jsonl(every)


def study_all(companion: Companion) -> list[Studied]:
    return [*companion.study(ROWS), *companion.rest()]


def test_a_companion_finds_what_this_process_finds_in_the_order_given(companion: Companion) -> None:
    given = [ROWS[start : start + 10] for start in range(0, 90, 10)]
    found = [studied for rows in given for studied in companion.study(rows)] + list(companion.rest())
    study = TokenStudy([TokenCounter.load("o200k_base")])
    assert [studied.tokens for studied in found] == [study.of(rows) for rows in given]
    assert [studied.looks for studied in found] == [look_at(rows) for rows in given]


def test_a_lost_companion_is_noticed(companion: Companion) -> None:
    os.kill(companion.process_id, signal.SIGKILL)
    with pytest.raises(CompanionLostError):
        study_all(companion)


@pytest.mark.parametrize("alone", [True, False])
def test_the_report_is_the_same_whoever_studies(monkeypatch: pytest.MonkeyPatch, *, alone: bool) -> None:
    content = varied_file()
    expected = report_of(content)
    monkeypatch.setattr(batches, "BATCH_CHARACTERS", 5_000)
    monkeypatch.setattr(batches, "MANY_CHARACTERS", 20_000)
    assert report_of(content, alone=alone) == expected
    assert {"duplicate-row", "personal-data", "messages-missing"} <= {finding.code for finding in expected.findings}


def test_a_companion_that_dies_midway_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    content = varied_file()
    expected = report_of(content)
    monkeypatch.setattr(batches, "BATCH_CHARACTERS", 5_000)
    monkeypatch.setattr(batches, "MANY_CHARACTERS", 20_000)
    started: list[int] = []

    class Dying(Companion):
        def study(self, rows: list[list[bytes]]) -> list[Studied]:
            started.append(self.process_id)
            if len(started) == 7:
                os.kill(self.process_id, signal.SIGKILL)
            return super().study(rows)

    monkeypatch.setattr(batches, "Companion", Dying)
    assert report_of(content) == expected
    assert len(started) >= 7


def test_leaving_early_ends_the_companion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH_CHARACTERS", 5_000)
    monkeypatch.setattr(batches, "MANY_CHARACTERS", 20_000)
    started: list[int] = []

    class Noted(Companion):
        def study(self, rows: list[list[bytes]]) -> list[Studied]:
            started.append(self.process_id)
            return super().study(rows)

    class StoppedError(Exception):
        pass

    def stop(_: object) -> None:
        if started:
            raise StoppedError

    monkeypatch.setattr(batches, "Companion", Noted)
    content = varied_file()
    blocks = [content[start : start + 10_000] for start in range(0, len(content), 10_000)]
    with pytest.raises(StoppedError):
        check(blocks, filename="data.jsonl", catalogue=CATALOGUE, on_progress=stop)
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)
