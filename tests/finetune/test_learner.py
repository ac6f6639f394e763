"""What all rows share is learnt, and nothing that only some of them share."""

from typing import Any

import msgspec
import pytest

from finetune.checking.learner import LABEL_MAX_CHARACTERS, LABELS_MAX, CommonAnswers, CommonEnding
from finetune.contract import SCHEMA, Label, PromptContract
from finetune.errors import OperationalError
from finetune.report import Report
from tests.finetune.rows import chat, jsonl, message, pair, report_of
from tests.finetune.test_tokens import reference


def label(text: str, rows: int) -> Label:
    """A label with the tokens that tiktoken gives it."""
    numbers = reference("o200k_base").encode_ordinary(text)
    return Label(text, rows, len(numbers), tuple(numbers))


def learnt(rows: list[Any]) -> PromptContract:
    contract = report_of(jsonl(rows)).contract
    assert contract is not None
    return contract


def test_a_system_message_that_every_row_begins_with_is_learnt() -> None:
    contract = learnt([*map(chat, range(12))])
    assert contract == PromptContract("chat", "You sort tickets.")


def test_what_a_developer_says_first_is_said_again_by_a_developer() -> None:
    turns = [message("user", "a"), message("assistant", "b")]
    contract = learnt([{"messages": [message("developer", "Be brief."), *turns]} for _ in range(12)])
    assert (contract.system, contract.system_role) == ("Be brief.", "developer")
    assert contract.messages("Hi") == [message("developer", "Be brief."), message("user", "Hi")]
    mixed = learnt([{"messages": [message(role, "Be brief."), *turns]} for role in ("developer", "system") * 6])
    assert (mixed.system, mixed.system_role) == (None, "system")


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
    assert learnt(rows).system is None


def test_the_ends_of_prompts_and_of_completions_are_learnt() -> None:
    contract = report_of(jsonl([*map(pair, range(12))])).contract
    assert contract == PromptContract("completion", stop=(" END",), separator=" ->")


def test_half_a_character_in_what_is_learnt_does_not_break_the_report() -> None:
    rows = [{"messages": [message("system", "half \ud83d"), *chat(n)["messages"][1:]]} for n in range(12)]
    report = report_of(jsonl(rows))
    assert report.contract == PromptContract("chat", "half \ufffd")
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


def test_few_answers_given_again_and_again_are_labels_with_their_tokens() -> None:
    answers = ["returns"] * 8 + ["billing"] * 9 + ["긍정"] * 3
    rows = [chat(number, message("assistant", answer)) for number, answer in enumerate(answers)]
    contract = learnt(rows)
    assert contract.labels == (label("billing", 9), label("returns", 8), label("긍정", 3))
    assert [one.tokens for one in contract.labels] == [1, 1, 3]
    assert contract.longest_label_tokens == 3
    assert not contract.has_single_token_labels


def test_labels_of_completions_keep_their_space_and_lose_the_stop() -> None:
    rows = [pair(number) | {"completion": f" {('hot', 'cold')[number % 2]} END"} for number in range(12)]
    contract = learnt([*rows])
    assert contract.stop == (" END",)
    assert contract.labels == (label(" cold", 6), label(" hot", 6))
    assert contract.has_single_token_labels


def test_the_numbers_of_labels_are_those_of_the_models_encoding() -> None:
    rows = [chat(number, message("assistant", ("returns", "긍정")[number % 2])) for number in range(12)]
    report = report_of(jsonl(rows), models=["gpt-3.5-turbo-0125"])
    assert report.contract is not None
    assert report.contract.encoding == "cl100k_base"
    assert {one.token_ids for one in report.contract.labels} == {
        tuple(reference("cl100k_base").encode_ordinary(text)) for text in ("returns", "긍정")
    }


def test_a_contract_that_was_kept_without_numbers_is_read() -> None:
    kept = b'{"kind":"chat","labels":[{"text":"yes","rows":9,"tokens":1}],"encoding":"o200k_base","schema":2}'
    assert PromptContract.from_json(kept).labels == (Label("yes", 9, 1),)


@pytest.mark.parametrize(
    "answers",
    [
        [f"answer {number}" for number in range(12)],
        ["a", "b", "c", "d"] * 3,
        ["yes"] * 11 + [""],
        ["yes"] * 11 + ["y" * (LABEL_MAX_CHARACTERS + 1)],
        [f"class {number}" for number in range(LABELS_MAX + 1)] * 4,
        [],
    ],
    ids=["all differ", "a third differs", "one is empty", "one is long", "too many", "none"],
)
def test_other_answers_are_no_labels(answers: list[str]) -> None:
    common = CommonAnswers()
    for answer in answers:
        common.add(answer)
    assert common.labels(len) == ()


def test_conversations_of_several_turns_have_no_labels() -> None:
    turns = [message("assistant", "ok"), message("user", "and now?"), message("assistant", "ok")]
    rows: list[object] = [chat(number, *turns) for number in range(12)]
    assert learnt(rows).labels == ()


def test_a_contract_comes_back_from_where_it_is_kept() -> None:
    contract = learnt([*map(pair, range(12)), *(pair(n) | {"completion": " kind 0 END"} for n in range(40))])
    assert PromptContract.from_json(contract.as_json()) == contract


def test_a_contract_of_the_first_schema_is_read() -> None:
    old = b'{"kind":"completion","system":null,"stop":[" END"],"separator":" ->"}'
    contract = PromptContract.from_json(old)
    assert contract == PromptContract("completion", stop=(" END",), separator=" ->")
    assert (contract.labels, contract.longest_label_tokens) == ((), 0)


def test_a_contract_of_a_newer_tuneroom_is_refused() -> None:
    newer = msgspec.json.encode({"kind": "chat", "schema": SCHEMA + 1})
    with pytest.raises(OperationalError, match="newer"):
        PromptContract.from_json(newer)


def test_a_model_is_asked_as_its_rows_asked() -> None:
    chatty, bare = PromptContract("chat", system="Be kind."), PromptContract("chat")
    assert chatty.messages("Hi") == [message("system", "Be kind."), message("user", "Hi")]
    assert bare.messages("Hi") == [message("user", "Hi")]
    completion = PromptContract("completion", separator=" ->")
    assert completion.prompt("eggs") == completion.prompt("eggs ->") == "eggs ->"
