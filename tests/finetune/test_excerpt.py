"""Rows that a report names are found again in the file, by the same numbers, and nothing private is read out."""

from __future__ import annotations

from finetune.excerpt import PACKED_MAX_BYTES, ROWS_MAX, excerpt, may_be_opened, rows_worth_showing
from tests.finetune.rows import chat, jsonl, message, report_of


def shown(content: bytes, filename: str = "data.jsonl") -> list[tuple[int, str, str]]:
    wanted = rows_worth_showing(report_of(content, filename=filename))
    return [(row.number, row.text, row.hidden) for row in excerpt([content], filename, wanted, go_on=lambda: True)]


def test_rows_of_errors_and_warnings_are_found_by_their_numbers() -> None:
    rows = [*map(chat, range(20)), {"messages": [message("user", "왜?")]}, b"{bad", chat(3)]
    found = shown(jsonl(rows))
    assert [(number, hidden) for number, _, hidden in found] == [(21, ""), (22, ""), (23, "")]
    assert found[0][1] == '{"messages": [{"role": "user", "content": "왜?"}]}'
    assert found[1][1] == "{bad"


def test_tables_are_shown_by_the_record_s_number() -> None:
    table = "prompt,completion\n" + "".join(f"q{n},a{n}\n" for n in range(20)) + 'last,\n"x" y,z"q"\n'
    found = shown(table.encode(), "data.csv")
    assert (22, '{"prompt": "last", "completion": ""}', "") in found
    assert (23, "", "broken") in found


def test_what_nobody_should_read_in_passing_is_not_shown() -> None:
    secret = {"messages": [message("user", "my mail is mina.kim@example.org and my card 4111 1111 1111 1111")]}
    assert shown(jsonl([*map(chat, range(20)), secret])) == [(21, "", "sensitive")]
    escaped = jsonl([*map(chat, range(20)), secret]).replace(b"mina", b"\\u006dina")
    assert shown(escaped) == [(21, "", "sensitive")]


def test_few_rows_are_shown_and_those_that_are_not_reached_are_said() -> None:
    content = jsonl([chat(0)] * 10 + [{"messages": [message("user", str(number))]} for number in range(40)])
    wanted = rows_worth_showing(report_of(content))
    assert len(wanted) <= ROWS_MAX
    rows = excerpt([content], "data.jsonl", wanted, go_on=lambda: False)
    assert [row.number for row in rows] == [*wanted]
    assert {row.hidden for row in rows} == {"too-far"}


def test_a_clean_file_has_none() -> None:
    assert rows_worth_showing(report_of(jsonl([*map(chat, range(60))]))) == {}


def test_a_large_workbook_is_not_opened_while_somebody_waits() -> None:
    report = report_of(b"prompt,completion\na,b\n", filename="a.csv")
    assert may_be_opened(report, PACKED_MAX_BYTES + 1)
