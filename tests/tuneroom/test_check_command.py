"""`tuneroom check` prints a report for people or one JSON object, and its exit code says what to think of the file."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from finetune.catalogue import Catalogue
from finetune.report import Report
from tuneroom import check

ROOT = Path(__file__).parents[2]


def row(number: int) -> str:
    messages = [{"role": "system", "content": "Sort."}, {"role": "user", "content": f"ticket {number}"}]
    return json.dumps({"messages": [*messages, {"role": "assistant", "content": "hardware"}]})


def write(path: Path, lines: list[str]) -> str:
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def run(*argv: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    code = check.run(argv, out, Catalogue.load(), stderr=err)
    return code, out.getvalue(), err.getvalue()


def test_a_good_file_is_accepted(tmp_path: Path) -> None:
    code, out, err = run(write(tmp_path / "good.jsonl", [row(number) for number in range(60)]))
    assert (code, err) == (0, "")
    assert "60 rows · 60 examples · chat" in out
    assert "gpt-4o-mini-2024-07-18" in out
    assert "prices of 2026-11-15" in out
    assert out.endswith("Ready to train.\n")


def test_errors_are_exit_code_1_with_row_sentence_and_hint(tmp_path: Path) -> None:
    lines = [row(number) for number in range(60)]
    lines[16] = '{"messages": [{"role": "user", "content": "hi"}]}'
    code, out, _ = run(write(tmp_path / "bad.jsonl", lines))
    assert code == 1
    assert "Row 17 has no assistant reply." in out
    assert "Add the reply to learn." in out
    assert out.endswith("1 error blocks training.\n")
    assert len(out.splitlines()) < 24


def test_what_cannot_be_read_is_exit_code_2(tmp_path: Path) -> None:
    code, out, _ = run(write(tmp_path / "data.pdf", ["%PDF-1.7"]))
    assert code == 2
    assert "PDF" in out


def test_what_was_doubtful_is_said_and_a_format_can_be_given(tmp_path: Path) -> None:
    lines = [json.dumps({"messages": json.loads(row(n))["messages"][:2], "answer": "4"}) for n in range(60)]
    path = write(tmp_path / "items.jsonl", lines)
    code, out, _ = run(path)
    assert code == 0
    assert "read as reinforcement items" in out
    code, out, _ = run(path, "--format", "chat")
    assert code == 1
    assert "have no assistant reply" in out
    code, _, err = run(path, "--format", "fancy")
    assert code == 64
    assert "preference" in err


def test_json_is_one_object_that_is_the_report(tmp_path: Path) -> None:
    code, out, _ = run(write(tmp_path / "nine.jsonl", [row(number) for number in range(9)]), "--json")
    assert code == 1
    report = Report.from_json(json.loads(out))
    assert (report.rows, report.findings[0].code) == (9, "too-few-examples")


def test_a_model_is_priced_alone_and_its_context_checked(tmp_path: Path) -> None:
    lines = [row(number) for number in range(59)] + [row(60).replace("hardware", "hard " * 1_200)]
    code, out, _ = run(write(tmp_path / "long.jsonl", lines), "--model", "toy-gpt")
    assert code == 0
    assert "toy-gpt  free" in out
    assert "gpt-4o" not in out
    assert "Row 60 is longer than the model reads" in out


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "name the file to check"),
        (["--nope", "x"], "unrecognized arguments: --nope"),
        (["a", "b"], "unrecognized arguments: b"),
        (["x", "--model"], "expected one argument"),
        (["no such file"], "there is no file no such file"),
        ([str(ROOT)], "is a directory"),
        ([__file__, "--model", "gpt-9"], "no model of that name"),
    ],
)
def test_wrong_usage_is_exit_code_64_and_says_what_to_do(argv: list[str], words: str) -> None:
    code, out, err = run(*argv)
    assert (code, out) == (64, "")
    assert words in err


def test_help_is_no_error() -> None:
    code, out, _ = run("--help")
    assert code == 0
    assert "64 wrong usage" in " ".join(out.split())


def test_the_command_starts_without_the_heavy_libraries(tmp_path: Path) -> None:
    path = write(tmp_path / "good.jsonl", [row(number) for number in range(60)])
    program = (
        "import sys; from tuneroom import check; code = check.main(sys.argv[1:]); "
        # numpy is loaded: near-duplicates are found with it, for 0.1 s
        "assert not {'pandas', 'matplotlib', 'openai', 'tiktoken'} & sys.modules.keys(); sys.exit(code)"
    )
    ran = subprocess.run([sys.executable, "-c", program, path], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Ready to train." in ran.stdout


def test_what_the_rows_teach_can_be_said_and_is_advised_upon(tmp_path: Path) -> None:
    path = write(tmp_path / "good.jsonl", [row(number) for number in range(60)])
    code, out, _ = run(path, "--task", "Conditional generation")
    assert code == 0
    assert "This is writing from a text" in out
    assert "Train 1 to 2 epochs at a low rate" in " ".join(out.split())
    assert json.loads(run(path, "--task", "extraction", "--json")[1])["task"] == "extraction"


def test_an_unknown_task_is_wrong_usage(tmp_path: Path) -> None:
    code, out, err = run(write(tmp_path / "good.jsonl", [row(1)]), "--task", "poetry")
    assert (code, out) == (64, "")
    assert "conditional-generation" in err


def test_rows_that_are_held_out_may_not_be_learnt(tmp_path: Path) -> None:
    path = write(tmp_path / "train.jsonl", [row(number) for number in range(60)])
    held = write(tmp_path / "held.jsonl", [row(100), row(7)])
    code, out, err = run(path, "--validation", held, "--test", held)
    assert (code, err) == (1, "")
    assert "Row 8 stands in the validation file as well." in out
    assert "Row 8 is row 2 of the test file." in out
    assert run(path, "--validation", write(tmp_path / "other.jsonl", [row(100)]))[0] == 0


def test_a_held_out_file_that_is_missing_is_named_and_one_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "train.jsonl", [row(number) for number in range(60)])
    code, _, err = run(path, "--validation", str(tmp_path / "none.jsonl"))
    assert code == 64
    assert "there is no file" in err
    assert "none.jsonl" in err
    code, out, _ = run(path, "--test", write(tmp_path / "empty.jsonl", []))
    assert code == 0
    assert "No example could be read in the test file." in out


def test_findings_that_do_not_fit_are_named_with_their_rows(tmp_path: Path) -> None:
    bad = {"messages": [{"role": "robot", "content": "", "mood": 1, "weight": 7}], "id": 1, "tools": [1]}
    lines = [json.dumps(bad), *('{"prompt": "x"}', "[]", "{", '"x"'), *(row(number) for number in range(20)), row(3)]
    _, out, _ = run(write(tmp_path / "bad.jsonl", lines))
    assert "more: " in out
    assert "user-missing (1)" in " ".join(out.split())
