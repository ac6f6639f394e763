"""`tuneroom templates` shows what there is, and writes rows that `tuneroom check` accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.templates.shelf import TEMPLATES
from tuneroom.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_list_names_every_template_and_language(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["templates"]) == 0
    said = capsys.readouterr().out
    assert all(sample.name in said for template in TEMPLATES for sample in template.samples)


def test_one_is_described_by_what_to_write_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["templates", "email-categories-ja"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("E-mail categories: 42 rows of chat in 日本語\n")
    assert "assistant  One category" in said
    assert "--out email-categories-ja.jsonl" in said


def test_the_rows_that_are_written_are_accepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "mine.jsonl")
    assert main(["templates", "product-descriptions", "--out", path]) == 0
    assert f"tuneroom check {path}" in capsys.readouterr().out
    assert main(["check", path]) == 0
    assert "Ready to train." in capsys.readouterr().out


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text("my work")
    assert main(["templates", "sentiment", "--out", str(path)]) == 64
    assert "is there already" in capsys.readouterr().err
    assert path.read_text() == "my work"


def test_what_cannot_be_done_is_said_with_what_can(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["templates", "sentimant"]) == 64
    assert "Did you mean sentiment?" in capsys.readouterr().err
    assert main(["templates", "--out", str(tmp_path / "a")]) == 64
    assert "Name one: ad-truthfulness" in capsys.readouterr().err
    assert main(["templates", "sentiment", "--out", str(tmp_path / "none" / "a")]) == 64
    assert "cannot be written" in capsys.readouterr().err
