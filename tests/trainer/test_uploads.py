"""Uploads by parts, and files that expire."""

from __future__ import annotations

import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import openai
import pytest
from starlette.datastructures import UploadFile

from tests.trainer.conftest import chat_rows
from trainer.file_store import FileStore
from trainer.forms import copy_upload
from trainer.refusals import Refusal
from trainer.requests import UploadRequest
from trainer.upload_store import UploadStore

if TYPE_CHECKING:
    from pathlib import Path

    from openai.types import Upload

    from tests.trainer.conftest import TrainerProcess


def begin(trainer: TrainerProcess, size: int) -> Upload:
    return trainer.client.uploads.create(
        bytes=size, filename="large.jsonl", mime_type="application/jsonl", purpose="fine-tune"
    )


def add(trainer: TrainerProcess, upload: Upload, data: bytes) -> str:
    return trainer.client.uploads.parts.create(upload.id, data=data).id


def test_chunked_upload_becomes_a_file_that_trains(trainer: TrainerProcess) -> None:
    raw = b"".join(json.dumps(row).encode() + b"\n" for row in chat_rows(12))
    done = trainer.client.uploads.upload_file_chunked(
        file=raw,
        filename="rows.jsonl",
        bytes=len(raw),
        mime_type="application/jsonl",
        purpose="fine-tune",
        part_size=len(raw) // 5,
        md5=hashlib.md5(raw).hexdigest(),
    )
    assert (done.status, done.file.bytes, done.file.filename) == ("completed", len(raw), "rows.jsonl")
    assert trainer.client.files.content(done.file.id).read() == raw
    assert trainer.wait(trainer.create(done.file.id).id).status == "succeeded"


def test_parts_stand_in_the_order_of_completion_and_one_may_be_left_out(trainer: TrainerProcess) -> None:
    upload = begin(trainer, 6)
    second, _lost, first = (add(trainer, upload, data) for data in (b"two", b"gone", b"one"))
    done = trainer.client.uploads.complete(upload.id, part_ids=[first, second])
    assert trainer.client.files.content(done.file.id).read() == b"onetwo"
    with pytest.raises(openai.BadRequestError, match="completed") as refused:
        add(trainer, upload, b"late")
    assert refused.value.code == "invalid_state"


@pytest.mark.parametrize(
    ("parts", "md5", "param"),
    [([0], None, "part_ids"), ([0, 0], None, "part_ids"), ([0, 1], "0" * 32, "md5"), (["part_x"], None, "part_ids")],
    ids=["bytes-missing", "twice", "other-md5", "unknown-part"],
)
def test_upload_that_is_not_what_was_announced_is_refused_and_can_be_mended(
    trainer: TrainerProcess, parts: list[Any], md5: str | None, param: str
) -> None:
    upload = begin(trainer, 4)
    there = [add(trainer, upload, data) for data in (b"ab", b"cd")]
    wanted = [there[one] if isinstance(one, int) else one for one in parts]
    with pytest.raises(openai.BadRequestError) as refused:
        trainer.client.uploads.complete(upload.id, part_ids=wanted, **({"md5": md5} if md5 else {}))
    assert refused.value.param == param
    assert trainer.client.uploads.complete(upload.id, part_ids=there).file.bytes == 4


def test_cancelled_upload_takes_no_parts(trainer: TrainerProcess) -> None:
    upload = begin(trainer, 4)
    assert upload.expires_at - upload.created_at == 3600
    assert trainer.client.uploads.cancel(upload.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError, match="cancelled"):
        add(trainer, upload, b"abcd")
    with pytest.raises(openai.NotFoundError):
        trainer.client.uploads.cancel("upload_nobody")


@pytest.mark.parametrize("size", [0, 8 * 1024**3 + 1])
def test_upload_of_nothing_or_of_too_much_is_refused(trainer: TrainerProcess, size: int) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        begin(trainer, size)
    assert refused.value.param == "bytes"


def test_upload_outlives_a_killed_server(own_trainer: TrainerProcess) -> None:
    upload = begin(own_trainer, 4)
    first = add(own_trainer, upload, b"ab")
    own_trainer.kill()
    own_trainer.start()
    second = add(own_trainer, upload, b"cd")
    done = own_trainer.client.uploads.complete(upload.id, part_ids=[first, second])
    assert own_trainer.client.files.content(done.file.id).read() == b"abcd"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_upload_expires_after_an_hour_and_leaves_nothing(tmp_path: Path) -> None:
    clock = Clock()
    uploads = UploadStore(tmp_path / "uploads", FileStore(tmp_path / "files", clock), clock)
    asked = UploadRequest(bytes=4, filename="f", mime_type="m", purpose="fine-tune")
    upload = uploads.create(asked)
    uploads.add_part(upload, UploadFile(io.BytesIO(b"abcd"), size=4), copy_upload)
    assert list(tmp_path.rglob("part_*.bin"))
    clock.now += 3600
    with pytest.raises(Refusal, match="expired"):
        uploads.pending(upload.id)
    assert not list(tmp_path.rglob("part_*.bin"))


def test_file_is_gone_when_its_time_is_over(tmp_path: Path) -> None:
    clock = Clock()
    files = FileStore(tmp_path, clock)
    files.part("file-a").write_bytes(b"abcd")
    assert files.add("file-a", "a.jsonl", "fine-tune", 3600).public()["expires_at"] == clock.now + 3600
    clock.now += 3600
    assert files.all() == []
    assert not list(tmp_path.glob("file-a*"))


def test_file_says_when_it_expires(trainer: TrainerProcess) -> None:
    made = trainer.client.files.create(
        file=("a.jsonl", b"{}"), purpose="fine-tune", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    assert made.expires_at == made.created_at + 3600
    with pytest.raises(openai.BadRequestError) as refused:
        trainer.client.files.create(
            file=("a.jsonl", b"{}"), purpose="fine-tune", expires_after={"anchor": "created_at", "seconds": 60}
        )
    assert refused.value.param == "expires_after.seconds"
