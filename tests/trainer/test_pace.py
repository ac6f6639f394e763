"""How long training takes here, as the base model says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.trainer.conftest import TrainerProcess, chat_rows, wait_for
from trainer.pace import Pace, Paces

if TYPE_CHECKING:
    from pathlib import Path


def announced(trainer: TrainerProcess) -> list[dict[str, float]] | None:
    return getattr(trainer.client.models.retrieve("toy-gpt"), "expected_training", None)


def test_a_small_file_is_gone_over_up_to_25_times_and_a_large_one_once() -> None:
    points = Pace(base_s=1.0, megabyte_s=10.0).expected()
    assert [(point["megabytes"], point["seconds"]) for point in points] == [(0, 1), (0.048, 13), (1.2, 13), (2.4, 25)]


def test_the_first_run_counts_alone_and_each_further_one_by_half(tmp_path: Path) -> None:
    paces = Paces(tmp_path)
    paces.known = Pace(0.5, 100.0)  # of a trial
    paces.learn(Pace(2.0, 8.0, 1))
    assert paces.known == Pace(2.0, 8.0, 1)
    paces.learn(Pace(4.0, 10.0, 1))
    assert paces.known == Paces(tmp_path).known == Pace(3.0, 9.0, 2)


def test_nothing_is_announced_before_a_run_and_its_pace_after_it(own_trainer: TrainerProcess) -> None:
    assert announced(own_trainer) is None
    job = own_trainer.create(own_trainer.upload(chat_rows(12)), epochs=2)
    assert own_trainer.wait(job.id).status == "succeeded"
    points = announced(own_trainer)
    assert points is not None
    assert points[1]["seconds"] > points[0]["seconds"]
    assert Paces(own_trainer.home / "data").known.runs == 1


def test_a_trial_gives_a_first_figure(tmp_path: Path) -> None:
    trainer = TrainerProcess(tmp_path / "trainer", ("--trial",)).start()
    points = wait_for(lambda: announced(trainer))
    assert points[1]["seconds"] > points[0]["seconds"]
    assert trainer.stop() == 0


@pytest.mark.parametrize("torn", [b"", b'{"base_s": 1', b'{"something": "else"}', b"[]"])
def test_a_file_that_is_no_pace_is_no_pace(tmp_path: Path, torn: bytes) -> None:
    (tmp_path / "pace.json").write_bytes(torn)
    assert Paces(tmp_path).known is None
