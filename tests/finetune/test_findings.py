"""Each finding is made for its row, as a person finds it in the file, and for nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from finetune.findings import Severity
from tests.finetune.rows import chat, found, jsonl, message, pair, report_of, with_pair, with_row

CALL = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": '{"id": 3}'}}
REPLY = message("assistant", "hardware")
ANSWER = {"role": "tool", "tool_call_id": "c1", "content": "found"}


def calls(*made: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(made)}


def arguments(text: str) -> dict[str, Any]:
    return CALL | {"function": {"name": "look_up", "arguments": text}}


CHAT_FINDINGS = [
    ("not-utf8", b'{"messages": "\xff"}', "error"),
    ("not-json", b'{"messages": [', "error"),
    ("not-json", b'{"messages": NaN}', "error"),
    ("not-an-object", b"[1, 2]", "error"),
    ("not-an-object", b"null", "error"),
    ("not-an-object", b"[]", "error"),
    ("messages-missing", {"messages": []}, "error"),
    ("messages-missing", {"messages": "hello"}, "error"),
    ("messages-missing", {"text": "hello"}, "error"),
    ("mixed-formats", pair(), "error"),
    ("message-key-missing", chat(17, {"role": "user"}, REPLY), "error"),
    ("message-key-missing", {"messages": ["hello", *chat(17)["messages"]]}, "error"),
    ("message-key-unknown", chat(17, message("user", "x", mood="bad"), REPLY), "warning"),
    ("role-unknown", chat(17, message("robot", "x"), REPLY), "error"),
    ("role-unknown", chat(17, message(["user"], "x"), REPLY), "error"),  # type: ignore[arg-type]
    ("content-missing", chat(17, message("assistant", " \n")), "error"),
    ("content-missing", chat(17, message("assistant", None)), "error"),
    ("content-missing", chat(17, message("assistant", 5)), "error"),
    ("content-missing", chat(17, message("user", [{"type": "text"}]), REPLY), "error"),
    ("assistant-missing", chat(17, message("user", "hello?")), "error"),
    ("last-not-assistant", chat(17, REPLY, message("user", "thanks")), "error"),
    ("weight-invalid", chat(17, message("assistant", "x", weight=0.5)), "error"),
    ("weight-invalid", chat(17, message("assistant", "x", weight=True)), "error"),
    ("nothing-trained", chat(17, message("assistant", "x", weight=0)), "error"),
    ("tool-call-unanswered", chat(17, calls(CALL), REPLY), "error"),
    ("tool-call-unanswered", chat(17, calls(CALL), {**ANSWER, "tool_call_id": "c2"}, REPLY), "error"),
    ("tool-call-unanswered", chat(17, ANSWER, REPLY), "error"),
    ("tool-arguments-not-json", chat(17, calls(arguments("{id: 3}"))), "error"),
    ("tool-schema-invalid", chat(17, calls({"id": "c1"})), "error"),
    ("tool-schema-invalid", chat(17, tools=[{"type": "function"}]), "error"),
    ("extra-column", chat(17, id=5), "advice"),
    ("system-missing", {"messages": chat(17)["messages"][1:]}, "advice"),
    ("user-missing", {"messages": [chat(17)["messages"][0], REPLY]}, "advice"),
    ("duplicate-row", chat(3), "warning"),
]


@pytest.mark.parametrize(("code", "row", "severity"), CHAT_FINDINGS)
def test_a_chat_row_s_problem_is_found_on_its_line_and_alone(code: str, row: Any, severity: str) -> None:
    report = report_of(with_row(row))
    assert [(finding.code, finding.rows, finding.count) for finding in report.findings] == [(code, (17,), 1)]
    assert report.findings[0].severity == severity
    assert report.verdict == ("rejected" if severity == "error" else "accepted")


PAIR_FINDINGS = [
    ("missing-column", {"prompt": "x"}, "error"),
    ("missing-column", {"prompt": "x", "completion": 5}, "error"),
    ("missing-column", {"question": "x", "answer": "y"}, "error"),
    ("extra-column", pair(17, id=5), "advice"),
    ("column-case", {"Prompt": "x ->", " COMPLETION": " y END"}, "warning"),
    ("empty-completion", {"prompt": "x ->", "completion": ""}, "error"),
    ("empty-completion", {"prompt": "x ->", "completion": None}, "error"),
    ("empty-prompt", {"prompt": "", "completion": " y END"}, "warning"),
    ("duplicate-row", pair(3), "warning"),
    ("mixed-formats", chat(), "error"),
]


@pytest.mark.parametrize(("code", "row", "severity"), PAIR_FINDINGS)
def test_a_pair_s_problem_is_found_on_its_line_and_alone(code: str, row: Any, severity: str) -> None:
    report = report_of(with_pair(row))
    shared = ("separator-missing", (), 1)  # an empty prompt has no separator either
    assert [
        noted for finding in report.findings if (noted := (finding.code, finding.rows, finding.count)) != shared
    ] == [(code, (17,), 1)]
    assert report.findings[0].severity == severity


VALID_ROWS = [
    chat(17, calls(CALL), ANSWER, REPLY),
    chat(17, calls(CALL)),
    chat(17, calls(CALL, CALL | {"id": "c2"}), ANSWER | {"tool_call_id": "c2"}, ANSWER | {"content": ""}, REPLY),
    chat(
        17, tools=[{"type": "function", "function": {"name": "look_up", "parameters": {}}}], parallel_tool_calls=False
    ),
    chat(
        17, message("assistant", None, function_call={"name": "f", "arguments": "{}"}), message("function", "1"), REPLY
    ),
    chat(17, message("user", [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]), REPLY),
    chat(17, message("user", [{"type": "text", "text": "what is this?"}], name="mina"), REPLY),
    chat(17, message("assistant", "no", weight=0), message("user", "again"), message("assistant", "x", weight=1)),
    {"messages": [message("developer", "You sort."), *chat(17)["messages"][1:]]},
    chat(17, message("assistant", None, refusal="I cannot.")),
]


@pytest.mark.parametrize("row", VALID_ROWS)
def test_tools_pictures_names_weights_and_refusals_are_valid_chat(row: Any) -> None:
    assert report_of(with_row(row)).findings == ()


@pytest.mark.parametrize("first", [[], [1], 5, "x", None])
def test_a_first_line_that_is_no_object_is_one_row_of_many(first: Any) -> None:
    report = report_of(jsonl([first, *map(chat, range(60))]))
    assert (report.container, report.examples) == ("jsonl", 60)
    assert [(finding.code, finding.rows) for finding in report.findings] == [("not-an-object", (1,))]


def test_blank_lines_and_windows_line_ends_count_as_an_editor_counts_them() -> None:
    content = b"\n\r\n" + jsonl([*map(chat, range(60))]).replace(b"\n", b"\r\n\r\n") + b"\r\n{}\r\n\r\n"
    report = report_of(content)
    assert (report.rows, report.examples) == (61, 60)
    assert [(finding.code, finding.rows) for finding in report.findings] == [("messages-missing", (122,))]


def test_a_finding_carries_the_first_twenty_rows_and_the_whole_count() -> None:
    rows = [chat(number, message("user", "and?")) for number in range(500)]
    finding = found(report_of(jsonl(rows)))["assistant-missing"]
    assert (finding.rows, finding.count) == (tuple(range(1, 21)), 500)
    assert finding.message == "All 500 rows have no assistant reply."


@pytest.mark.parametrize(
    ("bad_rows", "message"),
    [
        ([17], "Row 17 has no assistant reply."),
        ([17, 40], "Rows 17 and 40 have no assistant reply."),
        ([17, 40, 52], "Rows 17, 40 and 52 have no assistant reply."),
        ([17, 40, 52, 53, 54], "Rows 17, 40, 52 and 2 more have no assistant reply."),
    ],
)
def test_the_sentence_names_the_rows(bad_rows: list[int], message: str) -> None:
    rows = [{"messages": chat(n)["messages"][: 2 if n in bad_rows else 3]} for n in range(1, 61)]
    assert found(report_of(jsonl(rows)))["assistant-missing"].message == message


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        (b'{"messages": [}', "Line 17, character 15: a value is missing."),
        (b'{"prompt": "a" "completion": "b"}', "Line 17, character 16: comma missing"),
        (b'{"prompt": "a', "Line 17, character 12: quote missing."),
        (b"{'prompt': 'a'}", 'Line 17, character 2: a name in "double quotes" missing'),
        (b'{"a": 1} {"a": 2}', "Line 17, character 10: something follows the closing brace"),
        (b'{"a": "x\ty"}', "Line 17, character 9: a tab or line break inside a text"),
        (b'{"a": -Infinity}', "Line 17: NaN and Infinity are not JSON"),
        (b"[" * 100_000, "Line 17: brackets nested too deeply."),
        (b'{"a": ' + b"9" * 5_000 + b"}", "Line 17: a number is too long."),
    ],
)
def test_a_line_that_is_not_json_is_told_by_line_and_character(line: bytes, hint: str) -> None:
    finding = found(report_of(with_row(line)))["not-json"]
    assert finding.rows == (17,)
    assert finding.hint.startswith(hint)


def test_half_a_character_is_reported_and_the_row_counted_still() -> None:
    row = b'{"messages": [{"role": "user", "content": "\\ud83d"}, {"role": "assistant", "content": "x"}]}'
    report = report_of(with_row(row))
    assert report.examples == 60
    assert found(report)["not-utf8"].rows == (17,)
    assert "half a character" in found(report)["not-utf8"].hint


def test_a_duplicate_is_one_however_it_is_written() -> None:
    spaced = (
        b'{ "messages":[{"content":"You sort tickets.","role":"system"},'
        b'{"content":"Ticket 3: it is broken.","role":"user"},{"role":"assistant","content":"Desk 3."}] }'
    )
    finding = found(report_of(with_row(spaced)))["duplicate-row"]
    assert finding.message == "Row 17 repeats an earlier row, row 3."


def test_many_duplicates_are_found_among_many_rows() -> None:
    rows = [pair(number % 60_000) for number in range(60_500)]
    finding = found(report_of(jsonl(rows)))["duplicate-row"]
    assert (finding.count, finding.rows) == (500, tuple(range(60_001, 60_021)))
    assert "row 60001 repeats row 1" in finding.message


@pytest.mark.parametrize(("examples", "severity"), [(9, "error"), (10, "advice"), (49, "advice"), (50, None)])
def test_few_examples_are_an_error_under_the_minimum_and_advice_under_the_guidance(
    examples: int, severity: str | None
) -> None:
    finding = found(report_of(jsonl([*map(chat, range(examples))]))).get("too-few-examples")
    assert (finding and finding.severity.value) == severity


def test_nine_examples_are_told_how_many_to_add() -> None:
    finding = found(report_of(jsonl([*map(chat, range(9))])))["too-few-examples"]
    assert finding.message == "The file has 9 examples; training needs 10 or more."
    assert finding.hint == "Add 1; aim for 50 to 100 good ones."


def test_prompts_that_are_all_empty_are_open_ended_text_and_no_finding() -> None:
    rows = [{"prompt": "", "completion": f" {number}. text."} for number in range(500)]
    assert report_of(jsonl(rows)).findings == ()


def test_rows_longer_than_the_model_reads_are_warned_of_when_a_model_is_given() -> None:
    content = with_pair({"prompt": "word " * 1_200 + "->", "completion": " other END"})
    assert report_of(content).findings == ()
    finding = found(report_of(content, models=["toy-gpt"]))["over-context"]
    assert (finding.rows, finding.severity) == ((17,), Severity.WARNING)
    assert finding.message == "Row 17 is longer than the model reads (toy-gpt reads 1,024 tokens)."


def test_rows_longer_than_any_model_reads_are_warned_of_without_one() -> None:
    finding = found(report_of(with_pair({"prompt": "word " * 70_000 + "->", "completion": " other END"})))[
        "over-context"
    ]
    assert finding.rows == (17,)
    assert finding.message == "Row 17 is longer than the model reads (none on offer reads more than 65,536 tokens)."


def test_a_row_too_long_for_two_models_is_one_row() -> None:
    content = with_pair({"prompt": "word " * 20_000 + "->", "completion": " other END"})
    finding = found(report_of(content, models=["davinci-002", "toy-gpt"]))["over-context"]
    assert (finding.rows, finding.count) == ((17,), 1)


def test_a_model_that_does_not_take_the_format_is_an_error() -> None:
    report = report_of(jsonl([*map(pair, range(60))]), models=["gpt-4o-mini"])
    assert report.verdict == "rejected"
    assert "gpt-4o-mini-2024-07-18 cannot learn" in found(report)["unknown-format"].message


def test_a_file_of_unknown_rows_is_unreadable() -> None:
    report = report_of(jsonl([{"text": str(number)} for number in range(12)]))
    assert report.verdict == "unreadable"
    assert found(report)["unknown-format"].count == 12


def test_columns_of_text_under_other_names_are_said_to_lack_theirs() -> None:
    report = report_of("질문,답변\n환불해 주세요,네\n".encode(), filename="a.csv")
    assert report.verdict == "unreadable"
    assert found(report)["missing-column"].rows == (2,)
    assert "Name columns `prompt` and `completion`" in found(report)["missing-column"].hint


def test_the_format_of_most_examples_is_the_file_s() -> None:
    report = report_of(jsonl([*map(pair, range(20)), *map(chat, range(15))]))
    assert report.format == "prompt-completion"
    assert found(report)["mixed-formats"].rows == tuple(range(21, 36))


def test_a_file_over_the_limit_is_refused_and_not_read_on() -> None:
    report = report_of(jsonl([*map(chat, range(60_000))]), max_bytes=5 * 1024 * 1024)
    assert report.verdict == "rejected"
    assert "larger than 5 MB" in found(report)["file-too-large"].message
    assert 20_000 < report.rows < 60_000


def test_no_finding_holds_content_of_a_row() -> None:
    secret = "swordfish"
    bad: list[Any] = [
        {secret: 1},
        {"messages": [{"role": secret, secret: secret}]},
        {"prompt": secret},
        {"Prompt": secret, "completion": secret, secret: 1},
        f'{{"{secret}": "{secret}'.encode(),
        f"[{secret}]".encode(),
    ]
    for row in bad:
        for content in (with_row(row), with_pair(row), jsonl([row] * 3)):
            assert secret not in str(report_of(content).findings)
