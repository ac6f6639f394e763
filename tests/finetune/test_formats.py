"""Every training format is recognised without being told, and what is wrong with its rows is found on them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.finetune.rows import chat, found, jsonl, message, pair, report_of, with_row

REPLY = message("assistant", "hardware")
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + b"\x00\x00\x00\x01\x00\x00\x00\x01\x08"


def preference(number: int = 0, **columns: Any) -> dict[str, Any]:
    return {
        "input": {"messages": [message("user", f"문의 {number}: 환불해 주세요.")]},
        "preferred_output": [message("assistant", f"네, {number}번 주문을 환불해 드릴게요.")],
        "non_preferred_output": [message("assistant", f"{number}번은 안 됩니다.")],
        **columns,
    }


def chosen(number: int = 0, **columns: Any) -> dict[str, Any]:
    return {"prompt": f"質問 {number}", "chosen": f"良い答え {number}", "rejected": f"悪い答え {number}", **columns}


def item(number: int = 0, **columns: Any) -> dict[str, Any]:
    return {
        "messages": [message("system", "Add."), message("user", f"{number} + 1?")],
        "reference_answer": str(number + 1),
        **columns,
    }


def alpaca(number: int = 0, **columns: Any) -> dict[str, Any]:
    return {"instruction": f"Translate {number}.", "input": "안녕", "output": f"hello {number}", **columns}


def sharegpt(number: int = 0, **columns: Any) -> dict[str, Any]:
    turns = [{"from": "human", "value": f"Ticket {number}?"}, {"from": "gpt", "value": f"kind {number}"}]
    return {"conversations": turns, **columns}


MAKERS = {
    "chat": chat,
    "prompt-completion": pair,
    "preference": preference,
    "reinforcement": item,
    "alpaca": alpaca,
    "sharegpt": sharegpt,
}


def with_bad(maker: Any, row: Any) -> bytes:
    return jsonl([*map(maker, range(1, 17)), row, *map(maker, range(18, 61))])


@pytest.mark.parametrize("name", MAKERS)
def test_each_format_is_recognised_without_being_told(name: str) -> None:
    report = report_of(jsonl([*map(MAKERS[name], range(60))]))
    assert (report.format, report.rows, report.examples) == (name, 60, 60)
    codes = [finding.code for finding in report.findings if finding.severity != "advice"]
    assert codes == (["unknown-format"] if name in {"alpaca", "sharegpt"} else [])
    assert report.tokens.total > 0


def test_the_flat_names_of_a_preference_pair_are_one_too() -> None:
    for rows in (
        [*map(chosen, range(60))],
        [{**chosen(n), "chosen": [message("assistant", f"a {n}")], "rejected": [REPLY]} for n in range(60)],
        [
            {
                "chosen": [message("user", f"q {n}"), REPLY],
                "rejected": [message("user", f"q {n}"), message("assistant", "x")],
            }
            for n in range(60)
        ],
    ):
        report = report_of(jsonl(rows))
        assert (report.format, report.examples, report.findings) == ("preference", 60, ())


@pytest.mark.parametrize("name", ["alpaca", "sharegpt"])
def test_rows_that_nobody_trains_on_are_offered_for_conversion(name: str) -> None:
    report = report_of(jsonl([*map(MAKERS[name], range(60))]))
    finding = found(report)["unknown-format"]
    assert (report.verdict, finding.rows) == ("rejected", ())
    assert finding.hint.startswith("Convert them to chat")


BAD = [
    (preference, {**preference(17), "preferred_output": []}, "pair-incomplete"),
    (
        preference,
        {name: value for name, value in preference(17).items() if name != "non_preferred_output"},
        "pair-incomplete",
    ),
    (preference, {**preference(17), "input": "hello"}, "pair-incomplete"),
    (preference, {**preference(17), "non_preferred_output": preference(17)["preferred_output"]}, "pair-identical"),
    (
        preference,
        {**preference(17), "input": {"messages": [message("user", "a"), REPLY, message("user", "b")]}},
        "pair-multi-turn",
    ),
    (preference, {**preference(17), "preferred_output": [REPLY, message("assistant", "and")]}, "pair-multi-turn"),
    (
        preference,
        {
            **preference(17),
            "input": {
                "messages": [
                    message("user", [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}])
                ]
            },
        },
        "pair-not-text",
    ),
    (preference, {**preference(17), "preferred_output": [message("assistant", "")]}, "content-missing"),
    (preference, {**preference(17), "note": 1}, "extra-column"),
    (preference, preference(3), "duplicate-row"),
    (preference, chat(), "mixed-formats"),
    (chosen, {**chosen(17), "rejected": ""}, "pair-incomplete"),
    (chosen, {**chosen(17), "prompt": None}, "pair-incomplete"),
    (chosen, {**chosen(17), "rejected": chosen(17)["chosen"]}, "pair-identical"),
    (item, {**item(17), "messages": [*item(17)["messages"], REPLY]}, "reinforcement-last-not-user"),
    (item, {"messages": item(17)["messages"]}, "reinforcement-no-reference"),
    (item, {**item(17), "reference_answer": " "}, "reinforcement-no-reference"),
    (item, {**item(17), "messages": [message("user", "")]}, "content-missing"),
    (item, {**item(17), "messages": []}, "messages-missing"),
    (item, item(3), "duplicate-row"),
    (alpaca, {**alpaca(17), "output": ""}, "empty-completion"),
    (alpaca, {**alpaca(17), "instruction": "", "input": ""}, "empty-prompt"),
    (alpaca, {"instruction": "x"}, "missing-column"),
    (sharegpt, {"conversations": []}, "messages-missing"),
    (sharegpt, {"conversations": sharegpt(17)["conversations"][:1]}, "assistant-missing"),
    (sharegpt, {"conversations": [{"from": "robot", "value": "x"}, *sharegpt(17)["conversations"]]}, "role-unknown"),
]


@pytest.mark.parametrize(("maker", "row", "code"), BAD)
def test_a_row_s_problem_is_found_on_its_line_and_alone(maker: Any, row: Any, code: str) -> None:
    report = report_of(with_bad(maker, row))
    seen = [(f.code, f.rows) for f in report.findings if f.severity != "advice" or f.code == code]
    assert [one for one in seen if one[0] != "unknown-format"] == [(code, (17,))]


def data_url(content: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def picture(url: Any, role: str = "user") -> dict[str, Any]:
    return message(role, [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": url}])


GOOD_PICTURES = [
    "https://example.com/cat.png?size=3",
    "https://cdn.example.co.kr/사진.jpeg",
    data_url(PNG + b"\x02"),
    data_url(PNG + b"\x06"),
    data_url(b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x01\x00\x01\x03", "jpeg"),
    data_url(b"RIFF\x00\x00\x00\x00WEBPVP8 ", "webp"),
]


@pytest.mark.parametrize("url", GOOD_PICTURES)
def test_pictures_that_training_takes_are_no_finding(url: str) -> None:
    assert report_of(with_row(chat(17, picture({"url": url, "detail": "low"}), REPLY))).findings == ()


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        ([picture({"url": data_url(b"GIF89a", "gif")}), REPLY], "image-format"),
        ([picture({"url": data_url(b"GIF89a")}), REPLY], "image-format"),
        ([picture({"url": data_url(PNG + b"\x03")}), REPLY], "image-format"),
        (
            [picture({"url": data_url(b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x01\x00\x01\x04", "jpeg")}), REPLY],
            "image-format",
        ),
        ([picture({"url": "data:image/png;base64,%%%"}), REPLY], "image-format"),
        ([picture({"url": "https://example.com/cat.gif"}), REPLY], "image-format"),
        ([picture("https://example.com/cat.png"), REPLY], "image-format"),
        ([picture({"url": data_url(PNG + b"\x02" + b"\x00" * 10_500_000)}), REPLY], "image-too-large"),
        ([picture({"url": GOOD_PICTURES[0]}) for _ in range(11)] + [REPLY], "images-too-many"),
        ([message("user", "draw"), picture({"url": GOOD_PICTURES[0]}, "assistant")], "image-in-assistant"),
        *[
            ([picture({"url": url}), REPLY], "image-url-unsafe")
            for url in (
                "http://example.com/a.png",
                "https://localhost/a.png",
                "https://192.168.0.4/a.png",
                "https://169.254.169.254/latest/meta-data",
                "https://[::1]/a.png",
                "https://mina:secret@example.com/a.png",
                "file:///etc/passwd",
                "https://files/a.png",
                "https://[broken/a.png",
            )
        ],
    ],
)
def test_a_picture_s_problem_is_found_on_its_row_and_alone(extra: list[Any], code: str) -> None:
    report = report_of(with_row(chat(17, *extra)))
    assert [(finding.code, finding.rows) for finding in report.findings] == [(code, (17,))]


def tool(name: Any = "look_up", **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **more}}


def call(name: str = "look_up", arguments: str = "{}", **more: Any) -> dict[str, Any]:
    return {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}, **more}


def calling(*calls: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(calls)}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (chat(17, tools=[tool("no spaces")]), "tool-schema-invalid"),
        (chat(17, tools=[tool(parameters=[])]), "tool-schema-invalid"),
        (chat(17, tools=[tool(parameters={"type": "string"})]), "tool-schema-invalid"),
        (chat(17, tools=[tool(parameters={"required": "id"})]), "tool-schema-invalid"),
        (chat(17, tools=[tool(), tool()]), "tool-schema-invalid"),
        (chat(17, tools=[{"name": "look_up"}]), "tool-schema-invalid"),
        (chat(17, tools=tool()), "tool-schema-invalid"),
        (chat(17, functions=[{"description": "x"}]), "tool-schema-invalid"),
        (chat(17, parallel_tool_calls="no"), "tool-schema-invalid"),
        (chat(17, calling(call("other")), tools=[tool()]), "tool-schema-invalid"),
        (chat(17, calling(call(), call())), "tool-schema-invalid"),
        (chat(17, calling({"id": "c1", "function": {"name": "f", "arguments": "{}"}})), "tool-schema-invalid"),
        (chat(17, calling(call(arguments="[1]"))), "tool-arguments-not-json"),
        (
            chat(17, message("assistant", None, function_call={"name": "f", "arguments": "{"})),
            "tool-arguments-not-json",
        ),
    ],
)
def test_a_tool_s_problem_is_found_on_its_row_and_alone(row: Any, code: str) -> None:
    report = report_of(with_row(row))
    assert [(finding.code, finding.rows) for finding in report.findings] == [(code, (17,))]


def test_rows_that_lack_replies_and_have_ids_are_not_taken_for_reinforcement() -> None:
    rows = [chat(n, id=n) for n in range(60)]
    rows[16]["messages"] = rows[16]["messages"][:2]
    report = report_of(jsonl(rows))
    assert report.format == "chat"
    assert found(report)["assistant-missing"].rows == (17,)


def test_why_rows_were_read_as_reinforcement_items_is_said() -> None:
    report = report_of(jsonl([*map(item, range(60))]))
    assert "`reference_answer`" in report.doubts[0]


def test_a_format_that_is_given_is_believed() -> None:
    content = jsonl([*map(item, range(60))])
    assert set(found(report_of(content, format_name="chat"))) == {"assistant-missing", "extra-column"}
    report = report_of(jsonl([{"messages": item(n)["messages"]} for n in range(60)]), format_name="reinforcement")
    assert (report.format, set(found(report))) == ("reinforcement", {"reinforcement-no-reference"})
    report = report_of(jsonl([*map(chat, range(60))]), format_name="preference")
    assert (report.format, report.verdict, set(found(report))) == ("preference", "unreadable", {"pair-incomplete"})


def test_formats_in_tables_are_the_same_formats() -> None:
    import csv  # noqa: PLC0415
    import io  # noqa: PLC0415

    for maker in (preference, chosen, item, alpaca, sharegpt):
        out = io.StringIO()
        writer = csv.writer(out)
        rows = [*map(maker, range(60))]
        writer.writerow(rows[0])
        for row in rows:
            writer.writerow([cell if isinstance(cell, str) else json.dumps(cell) for cell in row.values()])
        report = report_of(out.getvalue().encode(), filename="a.csv")
        assert (report.container, report.format, report.examples) == ("csv", report_of(jsonl(rows)).format, 60)
        assert report.tokens == report_of(jsonl(rows)).tokens


def test_preference_pairs_are_priced_where_preferences_can_be_learnt() -> None:
    report = report_of(jsonl([*map(preference, range(60))]), models=["gpt-4.1-mini"])
    assert report.price_usd.keys() == {"gpt-4.1-mini-2025-04-14"}
    report = report_of(jsonl([*map(preference, range(60))]), models=["gpt-3.5-turbo"])
    assert "gpt-3.5-turbo-0125 cannot learn" in found(report)["unknown-format"].message
