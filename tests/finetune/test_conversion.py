"""Conversions: nothing is lost without being said, what is lossless comes back as it was, and chat checks as chat."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.contract import PromptContract
from finetune.conversion.columns import guess
from finetune.conversion.conversion import FROM, Conversion, conversion_of, offered
from finetune.conversion.markers import Markers
from finetune.mending import Recipe, conversion_recipe
from finetune.shape import Shape
from tests.finetune.mended import counts, objects, version
from tests.finetune.rows import chat, found, jsonl, message, pair, report_of
from tests.finetune.test_fixes import FILES, line

SAID = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20).filter(
    lambda text: bool(text.strip()) and not text.startswith(" ")
)
TURNS = st.lists(st.tuples(SAID, SAID), min_size=1, max_size=4)
THOROUGH = settings(max_examples=150, deadline=None)


def converted(rows: list[Any], target: Any, system: str = "", filename: str = "data.jsonl") -> tuple[list[Any], Any]:
    content = jsonl(rows)
    recipe = conversion_recipe(conversion_of(report_of(content), target, system))
    mended, difference = version(content, recipe, filename)
    return objects(mended), difference


def talk(*turns: tuple[str, str], system: str = "") -> dict[str, Any]:
    messages = [message("system", system)] if system else []
    return {"messages": messages + [message(role, text) for asked, said in turns
                                    for role, text in (("user", asked), ("assistant", said))]}  # fmt: skip


def test_pairs_become_chat_without_separator_stop_and_leading_space() -> None:
    rows = [{"prompt": f"Ticket {n}\n\n###\n\n", "completion": f" kind {n % 3} END"} for n in range(60)]
    made, difference = converted(rows, "chat", system="Sort.")
    assert made[4] == talk(("Ticket 4", "kind 1"), system="Sort.")
    assert counts(difference) == {"to-chat": 60}
    report = report_of(jsonl(made))
    assert (report.format, report.verdict) == ("chat", "accepted")


@pytest.mark.parametrize(
    ("separator", "stop", "cut"),
    [
        (": it is broken ->", " END", (" ->", " END")),
        ("?\n\n###\n\n", ".\n", ("\n\n###\n\n", "\n")),
        ("?", ".", ("", "")),
        (" is it?", " it is.", ("", "")),
        (" =>", "。", (" =>", "")),
        ("\n\nIntent:\n\n###\n\n", " <EOS>", ("\n\n###\n\n", " <EOS>")),
        (" 분류 ->", "###", (" ->", "###")),
        ("\n", "\n", ("\n", "\n")),
        (None, " hardware", ("", "")),
    ],
)
def test_of_a_common_ending_only_the_mark_is_cut(separator: str | None, stop: str, cut: tuple[str, str]) -> None:
    contract = PromptContract("completion", stop=(stop,), separator=separator)
    assert Markers.of_contract(contract) == Markers(*cut)


@given(st.lists(st.tuples(SAID, SAID), min_size=1, max_size=12))
@THOROUGH
def test_one_question_and_its_answer_come_back_as_they_were(turns: list[tuple[str, str]]) -> None:
    rows = [talk(turn, system="Be brief.") for turn in turns]
    content = jsonl(rows)
    pairs, _ = version(content, conversion_recipe(conversion_of(report_of(content, alone=True), "prompt-completion")))
    back = Conversion(source="prompt-completion", target="chat", system="Be brief.")
    assert objects(version(pairs, conversion_recipe(back))[0]) == rows


@given(st.lists(TURNS, min_size=1, max_size=8))
@THOROUGH
def test_each_reply_is_learnt_once_in_its_context(talks: list[list[tuple[str, str]]]) -> None:
    rows = [talk(*turns, system="S") for turns in talks]
    content = jsonl(rows)
    mended, difference = version(content, conversion_recipe(Conversion(source="chat", target="turns")))
    made = objects(mended)
    learnt = [one for row in made for one in row["messages"] if one["role"] == "assistant" and one.get("weight", 1)]
    assert [one["content"] for one in learnt] == [said for turns in talks for _, said in turns]
    assert all(row["messages"][-1]["role"] == "assistant" for row in made)
    assert [difference.row_of(number) for number in range(1, len(made) + 1)] == [
        number for number, turns in enumerate(talks, start=1) for _ in turns
    ]
    assert counts(difference).get("to-turns", 0) == sum(len(turns) > 1 for turns in talks)


def test_turns_keep_tools_and_what_was_not_to_be_learnt() -> None:
    row = chat(0, message("assistant", "a", weight=0), message("user", "b"), message("assistant", "c"),
               message("user", "d"), message("assistant", "e"), message("user", "f"), tools=[])  # fmt: skip
    made, _ = converted([row] * 12, "turns")
    assert [len(one["messages"]) for one in made[:2]] == [5, 7]
    assert made[1]["messages"][4] == message("assistant", "c", weight=0)
    assert made[1]["tools"] == []


def test_rows_that_would_lose_something_are_left_out_and_named() -> None:
    rows = [talk((f"q{n}", "a")) for n in range(12)]
    rows[3] = talk(("q", "a"), ("b", "c"))
    rows[5] = {"messages": [message("user", "q", name="Mina"), message("assistant", "a")]}
    rows[7] = {"messages": [message("user", [{"type": "text", "text": "q"}]), message("assistant", "a", weight=1)]}
    made, difference = converted(rows, "prompt-completion")
    assert {change.code: change.rows for change in difference.changes}["not-a-pair"] == (4, 6, 8)
    assert len(made) == 9


def test_a_system_message_is_left_away_only_where_all_rows_have_it() -> None:
    rows = [talk((f"q{n}", "a"), system="S") for n in range(12)]
    assert len(converted(rows, "prompt-completion")[0]) == 12
    rows[3] = talk(("q", "a"), system="T")
    assert converted(rows, "prompt-completion")[0] == []


def test_rows_that_cannot_be_read_stay_for_the_check_to_name() -> None:
    rows = [*map(pair, range(12)), b"{bad", {"prompt": "x ->", "completion": 7}, {"prompt": "y ->", "completion": ""}]
    content = jsonl(rows)
    mended, _ = version(content, conversion_recipe(conversion_of(report_of(content), "chat")))
    assert mended.splitlines()[12] == b"{bad"
    assert found(report_of(mended)).keys() >= {"not-json", "mixed-formats", "content-missing"}


def test_alpaca_with_input_history_and_system() -> None:
    row = {"instruction": "Say", "input": "hi", "output": "Hi.", "history": [["a", "b"]], "system": "Own."}
    rows = [row | {"instruction": f"Say {n}"} for n in range(12)] + [row | {"history": "earlier"}]
    made, difference = converted(rows, "chat", system="Given.")
    assert made[2] == talk(("a", "b"), ("Say 2\n\nhi", "Hi."), system="Own.")
    assert counts(difference) == {"to-chat": 12, "history-unknown": 1}
    plain = [{"instruction": f"Say {n}", "output": "Hi."} for n in range(12)]
    assert converted(plain, "prompt-completion")[0][2] == {"prompt": "Say 2", "completion": "Hi."}


def test_sharegpt_with_tools_is_chat_that_checks_clean() -> None:
    turns = [
        {"from": "human", "value": "Weather?"},
        {"from": "function_call", "value": '{"name": "weather", "arguments": {"city": "서울"}}'},
        {"from": "observation", "value": "rain"},
        {"from": "gpt", "value": "Rain."},
    ]
    tools = '[{"name": "weather", "description": "w", "parameters": {"type": "object", "properties": {}}}]'
    rows = [{"conversations": turns[:1] * (n % 2) + turns, "tools": tools} for n in range(60)]
    made, _ = converted(rows, "chat", system="S")
    assert made[0]["messages"][0] == message("system", "S")
    assert made[0]["messages"][2]["tool_calls"][0]["function"]["arguments"] == '{"city": "서울"}'
    report = report_of(jsonl(made))
    assert report.format == "chat"
    assert report.errors == ()
    assert len(converted(rows, "turns")[0]) == 120


def test_preference_pairs_go_both_ways() -> None:
    flat = [{"prompt": f"q{n}", "chosen": f"a{n}", "rejected": "b"} for n in range(12)]
    nested, _ = converted(flat, "preference")
    assert nested[3]["input"] == {"messages": [message("user", "q3")]}
    assert report_of(jsonl(nested)).format == "preference"
    assert converted(nested, "chosen-rejected")[0] == flat
    assert offered(report_of(jsonl(flat))) == ("preference",)
    assert offered(report_of(jsonl(nested))) == ("chosen-rejected",)


def test_offers_are_conversions_that_work() -> None:
    assert offered(report_of(b"{bad")) == ()
    for source, targets in FROM.items():
        for target in targets:
            conversion = Conversion(source=source, target=target)
            version(jsonl([chat(1), pair(1), {"conversations": []}]), conversion_recipe(conversion))


@pytest.mark.parametrize(
    ("columns", "meant"),
    [
        (["질문", "답변"], ("질문", "답변")),
        (["질의", "응답"], ("질의", "응답")),
        (["번호", "문의", "회답"], ("문의", "회답")),
        (["고객 질문", "상담원 답변", "날짜"], ("고객 질문", "상담원 답변")),
        (["質問", "回答"], ("質問", "回答")),
        (["お問い合わせ内容", "返信文"], ("お問い合わせ内容", "返信文")),
        (["入力", "出力"], ("入力", "出力")),
        (["質問", "答え"], ("質問", "答え")),
        (["Question", "Answer", "id"], ("Question", "Answer")),
        (["user_question", "agent_reply"], ("user_question", "agent_reply")),
        (["input", "output"], ("input", "output")),
        (["text", "label"], ("text", "label")),
        (["headline", "category"], ("headline", "category")),
        (["PROMPT ", "Response"], ("PROMPT ", "Response")),
        (["user_id", "review", "sentiment"], ("review", "sentiment")),
        (["ticket_id", "customer_message", "agent_response", "date"], ("customer_message", "agent_response")),
        (["문의번호", "문의내용", "답변내용"], ("문의내용", "답변내용")),
        (["リード文", "カテゴリー"], ("リード文", "カテゴリー")),
        (["message", "intent_label"], ("message", "intent_label")),
    ],
)
def test_names_are_guessed(columns: list[str], meant: tuple[str, str]) -> None:
    assert (guess(columns).get("prompt"), guess(columns).get("completion")) == meant


def test_names_that_say_nothing_are_not_guessed() -> None:
    assert guess(["a", "b"]) == {}
    assert guess([]) == {}
    assert guess(["instruction", "input", "output"]) == {
        "prompt": "instruction", "context": "input", "completion": "output",
    }  # fmt: skip


@pytest.mark.parametrize("target", ["chat", "prompt-completion", "turns"])
def test_recipe_is_read_as_it_was_written(target: Any) -> None:
    how = Conversion(source=None, target=target, mapping={"prompt": "질문"}, system="S", markers=Markers(" ->", " END"))
    recipe = Recipe(format="chat", meant="chat", fixes=("duplicate-row",), shape=Shape(separator=" ->"), conversion=how)
    assert Recipe.from_json(recipe.as_json()) == recipe
    assert Recipe.from_json(Recipe().as_json()) == Recipe()


def test_mapped_columns_become_chat_with_context_and_values_as_text() -> None:
    table = "질문,지문,답변,메모\n" + "".join(f"문제 {n},읽을 글 {n},{n % 3},x\n" for n in range(12))
    mapping = guess(["질문", "지문", "답변", "메모"])
    how = Conversion(source=None, target="chat", mapping=mapping, system="짧게.")
    mended, difference = version(table.encode("cp949"), Recipe(conversion=how), "시험.csv")
    assert objects(mended)[4] == talk(("문제 4\n\n읽을 글 4", "1"), system="짧게.")
    assert difference.row_of(5) == 6
    rows = [{"question": f"q{n}", "answer": n, "system": "Own."} for n in range(12)] + [{"note": 1}]
    pairs = Conversion(source=None, target="prompt-completion", mapping=guess(["question", "answer"]))
    mended, _ = version(jsonl(rows), Recipe(conversion=pairs))
    assert objects(mended)[4] == {"prompt": "q4", "completion": "4"}
    assert objects(mended)[12] == {"note": 1}


@given(FILES, st.sampled_from([(source, target) for source, targets in FROM.items() for target in targets]))
@settings(max_examples=300, deadline=None)
def test_any_rows_go_through_any_conversion_in_their_order(rows: list[Any], pair_: tuple[Any, Any]) -> None:
    source, target = pair_
    lines = [*map(line, rows)]
    how = Conversion(source=source, target=target, system="S", markers=Markers(" ->", " END"))
    made, difference = version(jsonl(lines), conversion_recipe(how))
    after = made.splitlines()
    came_from = [difference.row_of(number) for number in range(1, len(after) + 1)]
    assert came_from == sorted(number for number in came_from if number)
    left_out = {row for change in difference.changes if not change.code.startswith("to-") for row in change.rows}
    assert {*came_from} == {*range(1, len(lines) + 1)} - left_out
    changed = {row for change in difference.changes for row in change.rows}
    assert all(after[at] == lines[row - 1] for at, row in enumerate(came_from) if row and row not in changed)
    assert all(is_json(each) for at, each in enumerate(after) if (row := came_from[at]) and is_json(lines[row - 1]))


@given(FILES, st.sampled_from(["chat", "prompt-completion"]))
@settings(max_examples=150, deadline=None)
def test_any_rows_can_be_mapped_and_mapping_names_all_it_changed(rows: list[Any], target: Any) -> None:
    lines = [*map(line, rows)]
    how = Conversion(source=None, target=target, mapping={"prompt": "Prompt", "completion": "completion"})
    made, difference = version(jsonl(lines), conversion_recipe(how))
    assert len(made.splitlines()) == len(lines)
    changed = {row for change in difference.changes for row in change.rows}
    for before, after, number in zip(lines, made.splitlines(), range(1, len(lines) + 1), strict=True):
        assert (before == after) or number in changed or counts(difference)["columns-mapped"] > 20


def is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
