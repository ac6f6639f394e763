"""What all rows share is learnt, and nothing that only some of them share."""

import pytest

from finetune.checking.learner import CommonEnding
from finetune.contract import PromptContract
from finetune.report import Report
from tests.finetune.rows import chat, jsonl, message, pair, report_of


def test_a_system_message_that_every_row_begins_with_is_learnt() -> None:
    contract = report_of(jsonl([*map(chat, range(12))])).contract
    assert contract == PromptContract("chat", system="You sort tickets.")


@pytest.mark.parametrize(
    "other",
    [
        {"messages": [message("system", "You joke."), message("user", "a"), message("assistant", "b")]},
        {"messages": [message("user", "a"), message("assistant", "b")]},
    ],
)
@pytest.mark.parametrize("at", [0, 5, 12])
def test_one_row_with_another_system_message_or_none_means_there_is_none(other: object, at: int) -> None:
    rows: list[object] = [*map(chat, range(12))]
    rows.insert(at, other)
    assert report_of(jsonl(rows)).contract == PromptContract("chat", system=None)


def test_the_ends_of_prompts_and_of_completions_are_learnt() -> None:
    contract = report_of(jsonl([*map(pair, range(12))])).contract
    assert contract == PromptContract("completion", stop=(" END",), separator=": it is broken ->")


def test_half_a_character_in_what_is_learnt_does_not_break_the_report() -> None:
    rows = [{"messages": [message("system", "half \ud83d"), *chat(n)["messages"][1:]]} for n in range(12)]
    report = report_of(jsonl(rows))
    assert report.contract == PromptContract("chat", system="half \ufffd")
    assert Report.from_json(report.as_json()) == report


@pytest.mark.parametrize(
    ("texts", "ending"),
    [
        ([" hot END", " cold END"], " END"),
        ([" sing", " ring", " bring"], None),
        (["one\n", "two\n"], "\n"),
        (["one. Two.", "three."], None),
        (["a\n\n###\n\n", "b c\n\n###\n\n"], "\n\n###\n\n"),
        (["x END", "", "y END"], " END"),
        (["END", "END"], None),
        (["안녕하세요 끝", "감사합니다 끝"], " 끝"),
        ([], None),
    ],
)
def test_an_ending_is_common_to_all_and_nowhere_else(texts: list[str], ending: str | None) -> None:
    common = CommonEnding(16)
    for text in texts:
        common.add(text)
    assert common.best() == ending
