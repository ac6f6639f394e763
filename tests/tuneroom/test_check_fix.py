"""`tuneroom check FILE --fix OUT` writes a new version beside the file and says what changed by row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tuneroom.test_check_command import row, run, write


def pairs(path: Path) -> str:
    lines = [json.dumps({"Prompt": f"q{n % 55} ->", "completion": f" a{n % 55}"}) for n in range(60)]
    return write(path, [*lines, '{"prompt": "x ->", "completion": ""}'])


def test_safe_fixes_are_written_and_told_and_the_exit_code_judges_the_original(tmp_path: Path) -> None:
    source, out = pairs(tmp_path / "a.jsonl"), tmp_path / "b.jsonl"
    before = Path(source).read_bytes()
    code, said, err = run(source, "--fix", str(out))
    assert (code, err) == (1, "")
    assert "5 repeated rows deleted: rows 56, 57, 58, 59 and 60." in said
    assert "renamed `prompt` and `completion` in 60 rows: rows 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 50 more." in said
    assert Path(source).read_bytes() == before
    assert len(out.read_bytes().splitlines()) == 56
    code, said, _ = run(str(out), "--fix", str(tmp_path / "c.jsonl"), "--also", "empty-completion")
    assert code == 1
    assert "1 row with an empty answer deleted: row 56." in said
    assert run(str(tmp_path / "c.jsonl"))[0] == 0


def test_json_has_the_version_beside_the_report(tmp_path: Path) -> None:
    _, said, _ = run(pairs(tmp_path / "a.jsonl"), "--fix", str(tmp_path / "b.jsonl"), "--json")
    version = json.loads(said)["version"]
    assert version["rows"] == 56
    assert {"code": "duplicate-row", "rows": [56, 57, 58, 59, 60], "count": 5} in version["changes"]


def test_columns_of_other_names_are_mapped_and_converted(tmp_path: Path) -> None:
    lines = ["번호,질문,답변", *(f"{n},배송 문의 {n},답 {n % 3}" for n in range(60))]
    source, out = write(tmp_path / "문의.csv", lines), tmp_path / "out.jsonl"
    code, said, _ = run(source, "--fix", str(out), "--map", "prompt=질문, completion=답변", "--convert", "chat")
    assert code == 2
    assert "Columns mapped in 60 rows." in said
    assert run(str(out))[0] == 0
    code, _, err = run(source, "--fix", str(tmp_path / "never.jsonl"), "--map", "prompt=질문,completion=answer")
    assert (code, "no column answer; there are 번호, 질문, 답변" in err) == (2, True)
    code, _, err = run(source, "--fix", str(tmp_path / "never.jsonl"))
    assert (code, "see --map" in err) == (2, True)
    assert not (tmp_path / "never.jsonl").exists()


def test_fixes_go_before_a_conversion(tmp_path: Path) -> None:
    source, out = pairs(tmp_path / "a.jsonl"), tmp_path / "b.jsonl"
    _, said, _ = run(source, "--fix", str(out), "--convert", "chat", "--system", "Answer.")
    assert "5 repeated rows deleted" in said
    assert "56 rows written as chat" in said
    assert json.loads(out.read_bytes().splitlines()[0])["messages"][:2] == [
        {"role": "system", "content": "Answer."},
        {"role": "user", "content": "q0"},
    ]


def test_what_could_be_mended_is_said_below_the_report(tmp_path: Path) -> None:
    source = pairs(tmp_path / "a.jsonl")
    assert run(source)[1].endswith("--fix OUT writes a new version with 2 safe fixes applied.\n")
    assert "--fix OUT" not in run(source, "--fix", str(tmp_path / "b.jsonl"))[1]


def test_nothing_to_mend_is_said_and_written_as_jsonl(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", [row(number) for number in range(60)])
    code, said, _ = run(source, "--fix", str(tmp_path / "b.jsonl"))
    assert code == 0
    assert "Nothing to change." in said
    assert (tmp_path / "b.jsonl").read_text().splitlines() == Path(source).read_text().splitlines()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--convert", "chat"], "with --fix OUT"),
        (["--fix", "OUT", "--convert", "yaml"], "--convert takes chat"),
        (["--fix", "OUT", "--also", "over-context"], "--also takes empty-completion"),
        (["--fix", "OUT", "--map", "question"], "--map takes prompt=COLUMN"),
        (["--fix", "OUT", "--map", "prompt=q", "--convert", "turns"], "become chat or prompt-completion"),
        (["--fix", "OUT", "--convert", "preference"], "chat rows can become turns, prompt-completion"),
        (["--fix", "no such folder/OUT"], "cannot be written"),
        (["--fix", "a.jsonl"], "beside the file, not over it"),
    ],
)
def test_what_cannot_be_done_is_exit_code_64_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    source = write(tmp_path / "a.jsonl", [row(number) for number in range(60)])
    before = Path(source).read_bytes()
    code, _, err = run("a.jsonl", *options)
    assert code == 64
    assert words in err
    assert Path(source).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]
