"""The picture of the loss."""

from __future__ import annotations

import struct

from finetune.results import parse_results
from workers.charts import loss_chart

HEAD = b"step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n"
CHAT = HEAD + b"1,2.0,0.3,2.1,0.2\n2,1.0,0.5,,\n3,0.5,0.7,0.9,0.6\n"


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_the_picture_is_a_png_that_reads_well_on_a_phone() -> None:
    assert size_of(loss_chart(parse_results(CHAT), title="support-bot")) == (1440, 540)


def test_a_run_without_validation_has_its_picture_too() -> None:
    alone = HEAD + b"1,2.0,0.3,,\n2,1.0,0.5,,\n"
    assert size_of(loss_chart(parse_results(alone), title="<b>")) == (1440, 540)
