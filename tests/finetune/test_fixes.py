"""Fixes: what a finding named is mended and nothing else is changed; a fixed file checks clean of what it fixed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.checking.rules import RULES
from finetune.findings import ROWS_SHOWN
from finetune.fixes import words
from finetune.fixes.choice import BY_ITSELF, OF_TEXTS, SAFE, by_itself, fixes, safe
from finetune.fixes.difference import Change
from finetune.mending import Recipe, recipe_of
from finetune.shape import Shape
from tests.finetune.mended import counts, objects, version
from tests.finetune.rows import chat, found, jsonl, message, pair, report_of

if TYPE_CHECKING:
    from finetune.report import Report

TEXT = st.sampled_from(["", " ", "yes", "No END", "한국어 답변 ->", "질문", "😀", "half \ud83d", '"\\n', "a" * 40])
COLUMNS = st.sampled_from(["prompt", "completion", "Prompt", " completion ", "id", "source", "\ud83d"])
PAIRS = st.dictionaries(COLUMNS, TEXT | st.integers() | st.none() | st.just(1.5e300), max_size=5)
PLAIN_PAIRS = st.fixed_dictionaries({"prompt": TEXT, "completion": TEXT})
USUAL = st.sampled_from(
    ["yes", "no", "Maybe so", "WHAT IS IT", "Label: A", "Label: B", "질문 하나", "a\nb", " spaced", "x ->", "Label: C."]
)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system"]), "content": TEXT}), max_size=3
)
CHATS = st.fixed_dictionaries({"messages": MESSAGES}, optional={"id": st.integers(), "tools": st.just([])})
ALPACA = st.fixed_dictionaries({"instruction": TEXT, "output": TEXT}, optional={"input": TEXT, "id": st.integers()})
PREFERENCE = st.fixed_dictionaries(
    {"prompt": TEXT, "chosen": TEXT, "rejected": TEXT}, optional={"margin": st.integers()}
)
RAW = st.sampled_from(["{bad", "[]", "7", '{"prompt": 1e999, "completion": "x", "n": 1e999}', '{"a": {"b": [ 1 , 2]}}'])
ROWS = st.lists(st.one_of(PAIRS, PLAIN_PAIRS, CHATS, ALPACA, PREFERENCE, RAW), max_size=30)
FILES = ROWS.map(lambda rows: [{"note": "an object first: a file of `[]` alone is no JSONL"}, *rows])
THOROUGH = settings(max_examples=200, deadline=None)


def line(row: Any) -> bytes:
    return row.encode() if isinstance(row, str) else json.dumps(row).encode()


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


@given(FILES)
@THOROUGH
def test_fixed_file_checks_clean_of_what_it_fixed(rows: list[Any]) -> None:
    content = jsonl([*map(line, rows)])
    report = report_of(content, alone=True)
    wanted = (*safe(report), *by_itself(report))
    mended, difference = version(content, recipe_of(report, wanted))
    after = report_of(mended, alone=True)
    if after.format == report.format:  # what is left may be of other formats, where most rows were deleted
        assert not codes(after) & {*wanted}
    assert {*counts(difference)} <= {*wanted}  # a repetition may go for want of an answer
    assert bool(difference.changes) == bool(wanted)


@given(FILES)
@THOROUGH
def test_rows_that_no_finding_names_stay_byte_for_byte_and_in_order(rows: list[Any]) -> None:
    lines = [*map(line, rows)]
    report = report_of(jsonl(lines), alone=True)
    mended, difference = version(jsonl(lines), recipe_of(report, safe(report)))
    named = {row for change in difference.changes for row in change.rows}
    untouched = [each for number, each in enumerate(lines, start=1) if number not in named]
    left = iter(mended.splitlines())
    assert all(each in left for each in untouched)  # each after the one before it
    assert difference.rows_before == len(lines)
    assert difference.rows_after == len(mended.splitlines())


@given(FILES)
@THOROUGH
def test_what_is_counted_is_what_the_check_counted(rows: list[Any]) -> None:
    content = jsonl([*map(line, rows)])
    report = report_of(content, alone=True)
    _, difference = version(content, recipe_of(report, safe(report)))
    named = {code: finding for code, finding in found(report).items() if code in safe(report)}
    assert counts(difference) == {code: finding.count for code, finding in named.items()}
    assert {change.code: change.rows for change in difference.changes} == {
        code: finding.rows for code, finding in named.items()
    }


@given(FILES)
@THOROUGH
def test_mending_twice_changes_nothing_more(rows: list[Any]) -> None:
    content = jsonl([*map(line, rows)])
    recipe = recipe_of(report_of(content, alone=True), SAFE)
    once, _ = version(content, recipe)
    again, difference = version(once, recipe)
    assert again == once
    assert difference.is_nothing


@given(st.lists(PLAIN_PAIRS, min_size=2, max_size=30), st.sets(st.sampled_from([*OF_TEXTS]), min_size=1))
@THOROUGH
def test_text_fixes_keep_rows_and_columns_and_empty_answers(rows: list[dict[str, str]], chosen: set[str]) -> None:
    content = jsonl(rows)
    report = report_of(content, alone=True)
    wanted = tuple(chosen & codes(report))
    mended, _ = version(content, recipe_of(report, wanted))
    after = objects(mended)
    assert [row.keys() for row in after] == [row.keys() for row in rows]
    assert [not row["completion"].strip() for row in after] == [not row["completion"].strip() for row in rows]


@given(st.lists(st.fixed_dictionaries({"prompt": USUAL, "completion": USUAL}), min_size=2, max_size=12))
@THOROUGH
def test_texts_mended_for_a_base_model_check_clean(rows: list[dict[str, str]]) -> None:
    report = report_of(jsonl(rows), alone=True)
    wanted = tuple(codes(report) & {*OF_TEXTS})
    mended, _ = version(jsonl(rows), recipe_of(report, wanted))
    # an ending of capitals, put to answers of a few letters, may make them mostly capitals again
    assert not codes(report_of(mended, alone=True)) & {*wanted} - {"upper-case"}


def test_line_leads_back_to_the_row_it_was_made_from() -> None:
    rows = [*map(pair, range(30))]
    rows[4] = rows[11] = rows[12] = rows[2]
    content = jsonl(rows)
    mended, difference = version(content, recipe_of(report_of(content), ("duplicate-row",)))
    originals = [difference.row_of(number) for number in range(1, 28)]
    assert [rows[row - 1] for row in originals if row] == objects(mended)
    assert difference.row_of(28) is None
    assert difference.runs == ((1, 1), (5, 6), (11, 14))


def test_columns_are_renamed_and_deleted_with_values_as_they_were_written() -> None:
    odd = b'{"Prompt": "a \\u00e9 ->", "n": 1.0, "completion":  " b", "prompt ": "x"}'
    content = jsonl([*map(pair, range(12)), odd])
    report = report_of(content)
    mended, difference = version(content, recipe_of(report, safe(report)))
    assert objects(mended)[12].keys() == {"prompt", "completion"}
    assert objects(mended)[12]["completion"] == " b"
    assert counts(difference) == {"column-case": 1, "extra-column": 1}
    assert b'"completion":" b"' in mended.replace(b": ", b":").replace(b'"  "', b'" "')


def test_row_whose_extra_column_hides_a_repetition_is_mended_once_and_deleted() -> None:
    content = jsonl([*map(chat, range(12)), chat(3, id=7), b"", b"{half"])
    report = report_of(content)
    mended, difference = version(content, recipe_of(report, safe(report)))
    assert counts(difference) == {"extra-column": 1, "duplicate-row": 1}
    assert mended.splitlines()[-1] == b"{half"


def test_first_rows_are_named_and_all_are_counted() -> None:
    content = jsonl([chat(0)] * 100)
    _, difference = version(content, recipe_of(report_of(content), ("duplicate-row",)))
    (change,) = difference.changes
    assert (change.rows, change.count) == (tuple(range(2, 2 + ROWS_SHOWN)), 99)
    assert words.sentence(difference) == "99 repeated rows deleted."


def test_elements_of_a_json_document_become_a_line_each() -> None:
    rows = [*map(chat, range(12)), chat(3), chat(5, id=1.50)]
    document = json.dumps({"data": rows}, indent=2, ensure_ascii=False).encode()
    report = report_of(document, filename="data.json")
    mended, difference = version(document, recipe_of(report, safe(report)), "data.json")
    assert objects(mended) == [*map(chat, range(12))]
    assert counts(difference) == {"duplicate-row": 2, "extra-column": 1}
    assert found(report_of(mended)).keys() == found(report).keys() - {"duplicate-row", "extra-column"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp949"])
def test_a_version_is_utf8_whatever_the_file_was(encoding: str) -> None:
    rows = [{"prompt": f"배송 문의 {n} ->", "completion": f" 환불 {n % 3}", "번호": n} for n in range(40)]
    content = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode(encoding)
    report = report_of(content)
    mended, _ = version(content, recipe_of(report, ("extra-column",)))
    assert objects(mended) == [{"prompt": row["prompt"], "completion": row["completion"]} for row in rows]


def test_row_that_a_table_has_broken_is_left_out_and_said() -> None:
    table = "prompt,completion\n" + "".join(f"q{n} ->, a{n}\n" for n in range(12)) + 'x,"y" z"\nlast, b\n'
    report = report_of(table.encode(), filename="data.csv")
    mended, difference = version(table.encode(), recipe_of(report, ()), "data.csv")
    assert [change.code for change in difference.changes] == ["left-out"]
    assert difference.changes[0].rows == found(report)["broken-row"].rows
    assert difference.row_of(13) == 15
    assert len(objects(mended)) == 13


def test_empty_answers_are_deleted_only_where_that_was_asked_for() -> None:
    content = jsonl([*map(pair, range(12)), {"prompt": "why ->", "completion": " "}])
    report = report_of(content)
    assert (safe(report), by_itself(report)) == ((), ("empty-completion",))
    mended, difference = version(content, recipe_of(report, by_itself(report)))
    assert counts(difference) == {"empty-completion": 1}
    assert len(objects(mended)) == 12


def test_what_would_harm_an_instruct_model_is_never_among_the_safe_fixes() -> None:
    assert not {*OF_TEXTS, "empty-completion"} & {*SAFE}
    rows = [{"prompt": f"WHAT IS {n}", "completion": f"ANSWER {n}"} for n in range(60)]
    assert safe(report_of(jsonl(rows))) == ()


def test_fixes_for_base_models_by_what_the_rows_share() -> None:
    rows = [{"prompt": f"Classify the text: {n}", "completion": f"LABEL {n % 7}"} for n in range(12)]
    shape = Shape(
        prompt_prefix="Classify the text: ", suggested_separator=" ->", completion_prefix="LABEL ",
        suggested_ending=" END", upper_case=("completion",),
    )  # fmt: skip
    mended, _ = version(jsonl(rows), Recipe(format="prompt-completion", fixes=tuple(OF_TEXTS), shape=shape))
    assert objects(mended)[3] == {"prompt": "3 ->", "completion": " 3 END"}


def test_preference_and_chat_rows_lose_only_what_is_not_read() -> None:
    pairs = [{"prompt": f"q{n}", "chosen": "a", "rejected": "b", "margin": n} for n in range(12)]
    report = report_of(jsonl(pairs))
    mended, _ = version(jsonl(pairs), recipe_of(report, ("extra-column",)))
    assert objects(mended)[5] == {"prompt": "q5", "chosen": "a", "rejected": "b"}
    kept = chat(1, message("user", "x"), message("assistant", "y"), tools=[], functions=[], parallel_tool_calls=True)
    mended, _ = version(jsonl([kept | {"id": 1}] * 12), Recipe(format="chat", fixes=("extra-column",)))
    assert objects(mended) == [kept] * 12


def test_what_the_report_calls_fixable_has_a_fix() -> None:
    assert {code for code, rule in RULES.items() if rule.fixable} == {*SAFE, *BY_ITSELF, *OF_TEXTS}


def test_unknown_fix_is_refused() -> None:
    with pytest.raises(KeyError, match="over-context"):
        fixes(["over-context"], Shape())


@pytest.mark.parametrize("code", [*SAFE, *OF_TEXTS, "empty-completion", "left-out"])
def test_every_change_has_words(code: str) -> None:
    assert words.phrase(Change(code, (3,), 1)) != words.phrase(Change("unheard-of", (3,), 1))
    assert "1,200 " in words.phrase(Change(code, (3,), 1_200))
