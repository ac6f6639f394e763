"""The picture of a run's curves."""

from __future__ import annotations

import struct

import pytest

from finetune.results import parse_results
from workers.curves_chart import curves_chart, warm

HEAD = b"step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy,full_valid_loss\n"
WITH_ACCURACY = HEAD + b"1,2.0,0.3,2.1,0.2,\n2,1.0,0.5,,,1.5\n3,0.5,0.7,0.9,0.6,1.0\n"
LOSS_ALONE = HEAD + b"1,2.0,,,,\n2,1.0,,,,\n"
LEGACY = b"step,training_loss,training_token_accuracy,validation_loss\n1,0.4,0.5,0.5\n2,0.3,0.6,\n"


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.parametrize(
    ("content", "panels"), [(WITH_ACCURACY, 2), (LOSS_ALONE, 1), (LEGACY, 2), (HEAD, 1), (HEAD + b"1,nan,,,,\n", 1)]
)
def test_a_panel_for_the_loss_and_one_for_accuracy_where_it_was_measured(content: bytes, panels: int) -> None:
    assert size_of(curves_chart(parse_results(content), title="support-bot")) == (1080, 540 * panels)


@pytest.mark.parametrize("title", ["", "<b> $x_1$ $$", "고객 지원", "サポート", "\U0001f600", "a" * 200])
def test_any_title_is_drawn(title: str) -> None:
    assert size_of(curves_chart(parse_results(WITH_ACCURACY), title=title, best_step=2)) == (1080, 1080)


def test_the_best_step_changes_the_picture() -> None:
    curves = parse_results(WITH_ACCURACY)
    assert curves_chart(curves, title="", best_step=2) != curves_chart(curves, title="")


def test_it_is_drawn_beforehand() -> None:
    warm()
