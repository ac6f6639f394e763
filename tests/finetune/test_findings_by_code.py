"""Each code in a small file that has it, in English, Korean or Japanese: severity, rows, words, and if a fix exists."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from finetune.checking.rules import RULES
from finetune.findings import ROWS_SHOWN
from tests.finetune.finding_cases import Case
from tests.finetune.finding_files import OF_FILES
from tests.finetune.rows import chat, found, jsonl, message, pair, report_of, with_pair, with_row

FIXABLE = {
    "extra-column",
    "column-case",
    "empty-completion",
    "duplicate-row",
    "upper-case",
    "separator-missing",
    "prompt-prefix-common",
    "completion-prefix-common",
    "completion-suffix-missing",
    "completion-space-missing",
}

ASKED = message("user", "보여 주세요")
REPLY = message("assistant", "はい、どうぞ。")


def turn(*messages: Any, **columns: Any) -> bytes:
    """Good chat rows with this one as row 17."""
    return with_row({"messages": [*messages], **columns})


def pictured(url: str, role: str = "user", count: int = 1) -> bytes:
    parts = [{"type": "image_url", "image_url": {"url": url}}] * count
    return turn(ASKED, message(role, parts), REPLY)


def called(arguments: str, **call: Any) -> dict[str, Any]:
    function = {"name": "찾기" if call else "look_up", "arguments": arguments}
    return {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": function}]}


def preference(number: int, **columns: Any) -> dict[str, Any]:
    return {"prompt": f"質問 {number}", "chosen": f"良い答え {number}", "rejected": f"悪い答え {number}"} | columns


def preferences(row: dict[str, Any]) -> bytes:
    return jsonl([*map(preference, range(1, 17)), row, *map(preference, range(18, 60))])


def item(number: int, *extra: dict[str, Any], **columns: Any) -> dict[str, Any]:
    return {
        "messages": [message("user", f"{number} 더하기 2는?"), *extra],
        "reference_answer": str(number + 2),
    } | columns


def items(row: dict[str, Any]) -> bytes:
    return jsonl([*map(item, range(1, 17)), row, *map(item, range(18, 60))])


HTTPS = "https://example.com/cat.png"
OF_ROWS = [
    Case("not-utf8", with_row(b'{"messages": "\xff"}'), "error", (17,), "Row 17 has bytes"),
    Case(
        "not-json", with_row('{"messages": ["주문'.encode()), "error", (17,), "Row 17 is not JSON", "Line 17, character"
    ),
    Case("not-an-object", with_row('["주문"]'.encode()), "error", (17,), "Row 17 is JSON, but not an object"),
    Case("broken-row", b"prompt,completion\na ->, b\nc ->, d, e\n", "error", (3,), "Row 3 does not fit the table"),
    Case(
        "unknown-format", jsonl([{"글": f"글 {n}"} for n in range(12)]), "error", tuple(range(1, 13)), "All 12 rows are"
    ),
    Case("mixed-formats", with_row(pair(17)), "error", (17,), "Row 17 is in another format"),
    Case(
        "file-too-large", jsonl([*map(chat, range(9_000))]), "error", (), "larger than 1 MB", "", {"max_bytes": 1 << 20}
    ),
    Case("suspicious-archive", gzip.compress(gzip.compress(b"{}")), "error", (), "inside a gzip archive", "Unpack it"),
    Case(
        "missing-column", with_pair({"질문": "가", "답변": "나"}), "error", (17,), "Row 17 has no text", "or map them"
    ),
    Case(
        "extra-column", with_pair(pair(17, 메모="x")), "advice", (17,), "Row 17 has columns that training does not read"
    ),
    Case(
        "column-case", with_pair({"Prompt": "문의 ->", "completion": " 네 END"}), "warning", (17,), "capitals or spaces"
    ),
    Case(
        "empty-completion",
        with_pair({"prompt": "문의 ->", "completion": " "}),
        "error",
        (17,),
        "",
        "Write the answer, or",
    ),
    Case(
        "empty-prompt",
        with_pair({"prompt": "", "completion": " 네 END"}),
        "warning",
        (17,),
        "Row 17 has an empty prompt",
    ),
    Case(
        "duplicate-row",
        with_row(chat(3)),
        "warning",
        (17,),
        "Row 17 repeats an earlier row, row 3.",
        "Keep one, unless",
    ),
    Case(
        "near-duplicate",
        turn(message("user", "Ticket 3: it is broken!"), message("assistant", "desk 3.")),
        "advice",
        (17,),
    ),
    Case(
        "over-context",
        with_pair({"prompt": "길다 " * 1_500 + "->", "completion": " 네 END"}),
        "warning",
        (17,),
        "reads 1,024",
        "Shorten it; the end gets cut.",
        {"models": ["toy-gpt"]},
    ),
    Case("messages-missing", with_row({"messages": []}), "error", (17,), "Row 17 has no list of messages"),
    Case("message-key-missing", turn({"role": "user"}, REPLY), "error", (17,), "without `role` or `content`"),
    Case(
        "message-key-unknown", turn(message("user", "네", 기분="좋음"), REPLY), "warning", (17,), "a key that training"
    ),
    Case("role-unknown", turn(message("사용자", "네"), REPLY), "error", (17,), "unknown role", "Use system"),
    Case("content-missing", turn(ASKED, message("assistant", "　")), "error", (17,), "without text", "Write the text"),
    Case("assistant-missing", turn(ASKED), "error", (17,), "Row 17 has no assistant reply.", "Add the reply to learn."),
    Case("last-not-assistant", turn(ASKED, REPLY, ASKED), "error", (17,), "", "End with the assistant's reply."),
    Case("system-missing", turn(ASKED, REPLY), "advice", (17,), "Row 17 has no system message"),
    Case("user-missing", turn(message("system", "도와줘"), REPLY), "advice", (17,), "Row 17 has no user message"),
    Case("weight-invalid", turn(ASKED, message("assistant", "네", weight=2)), "error", (17,), "other than 0 or 1"),
    Case("nothing-trained", turn(ASKED, message("assistant", "네", weight=0)), "error", (17,), "nothing is learnt"),
    Case("tool-call-unanswered", turn(ASKED, called("{}"), REPLY), "error", (17,), "without its answer"),
    Case("tool-schema-invalid", turn(ASKED, REPLY, tools=[{"type": "function"}]), "error", (17,), "wrong shape"),
    Case("tool-arguments-not-json", turn(ASKED, called("{id: 3}")), "error", (17,), "arguments are not JSON"),
    Case("pair-incomplete", preferences(preference(17, chosen="")), "error", (17,), "no preferred answer"),
    Case(
        "pair-identical",
        preferences(preference(17, rejected="良い答え 17")),
        "error",
        (17,),
        "prefers an answer to itself",
    ),
    Case(
        "pair-multi-turn",
        preferences(preference(17, prompt=[ASKED, REPLY, ASKED])),
        "error",
        (17,),
        "more than one turn",
    ),
    Case("pair-not-text", preferences(preference(17, chosen=[called("{}")])), "error", (17,), "learnt from text"),
    Case("image-format", pictured("data:image/gif;base64,R0lGODlhAQABAAAAACw="), "error", (17,), "cannot be read"),
    Case("image-too-large", pictured("data:image/png;base64," + "A" * 14_000_000), "error", (17,), "over 10 MB"),
    Case("images-too-many", pictured(HTTPS, count=11), "error", (17,), "more than 10 pictures", "Keep 10"),
    Case("image-in-assistant", pictured(HTTPS, role="assistant"), "error", (17,), "in the assistant's message"),
    Case("image-url-unsafe", pictured("http://localhost/고양이.png"), "error", (17,), "others cannot fetch"),
    Case("reinforcement-last-not-user", items(item(17, REPLY)), "error", (17,), "does not end with the user's message"),
    Case("reinforcement-no-reference", items(item(17, reference_answer="")), "error", (17,), "can be graded against"),
    Case(
        "secret-in-data",
        turn(ASKED, message("assistant", "열쇠는 ghp_" + "a1B2c3D4e5F6" * 3)),
        "warning",
        (17,),
        "key or token",
    ),
    Case(
        "personal-data",
        turn(ASKED, message("assistant", "제 번호는 010-9876-5432 입니다.")),
        "warning",
        (17,),
        "personal data",
    ),
]
CASES = [*OF_ROWS, *OF_FILES]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_code_is_found_with_its_severity_its_rows_and_its_words(case: Case) -> None:
    report = report_of(case.content, filename="a.csv" if case.code == "broken-row" else "a.jsonl", **case.options)
    finding = found(report)[case.code]
    assert (finding.severity, finding.rows) == (case.severity, case.rows)
    assert case.says in finding.message
    assert case.hint in finding.hint
    assert finding.fixable == (case.code in FIXABLE)
    assert "{" not in finding.message


def test_every_code_has_a_file() -> None:
    assert {case.code for case in CASES} == set(RULES)


def test_files_without_a_fault_have_no_finding() -> None:
    korean = [
        {"prompt": f"{n}번 문의 ->", "completion": f"{'가나다라마'[n % 5]}{n}번 창구로 가세요."} for n in range(600)
    ]
    for rows in ([*map(chat, range(60))], [*map(pair, range(600))], [*map(preference, range(60))]):
        assert report_of(jsonl(rows)).findings == ()
    assert [finding.code for finding in report_of(jsonl(korean)).findings] == []


@pytest.mark.parametrize("models", [["davinci-002"], ["gpt-4o-mini"], []])
def test_what_only_base_models_need_is_a_warning_for_them_alone(models: list[str]) -> None:
    rows = [{"prompt": f"Ask about this: {n}", "completion": f"answer {n}"} for n in range(600)]
    wanted = {"separator-missing", "prompt-prefix-common", "completion-prefix-common", "completion-suffix-missing"}
    ours = found(report_of(jsonl(rows), models=models))
    assert wanted | {"completion-space-missing"} <= ours.keys()
    for code in wanted | {"completion-space-missing"}:
        assert ours[code].severity == ("warning" if models == ["davinci-002"] else "advice")


def test_a_report_of_a_hundred_thousand_findings_stays_short() -> None:
    good, bad = chat(1)["messages"], [message("robot", "x", mood=1), message("assistant", " ", weight=5)]
    lines = (json.dumps({"messages": [*good[:1], message("user", str(n)), *bad], "id": n}) for n in range(25_000))
    report = report_of("\n".join(lines).encode())
    assert sum(finding.count for finding in report.findings) > 100_000
    assert len(report.findings) < 12
    assert max(len(finding.rows) for finding in report.findings) == ROWS_SHOWN
    assert len(json.dumps(report.as_json())) < 12_000
    assert found(report)["role-unknown"].message == "All 25,000 rows have a message with an unknown role."
