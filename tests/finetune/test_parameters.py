"""What is typed for a launch, read or refused in words: rates by unit, amounts, graders, Weights & Biases."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.errors import UserError
from finetune.graders import parse_grader
from finetune.launch import Wandb
from finetune.parameters import (
    Rate,
    parse_effort,
    parse_method,
    parse_number,
    parse_rate,
    parse_usd,
    parse_wandb,
    wandb_words,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def refused(parse: Callable[[], Any]) -> str:
    """The refusal's code."""
    with pytest.raises(UserError) as refusal:
        parse()
    assert refusal.value.message
    assert refusal.value.hint
    return refusal.value.code


@pytest.mark.parametrize(("text", "rate"), [
    ("", Rate()), ("auto", Rate()), ("x0.5", Rate(multiplier=0.5)), (" X2 ", Rate(multiplier=2.0)),
    ("0.5", Rate(multiplier=0.5)), ("0.001", Rate(multiplier=0.001)),
])  # fmt: skip
def test_multiplier_is_read_where_the_provider_takes_one(text: str, rate: Rate) -> None:
    assert parse_rate(text, "multiplier") == rate


@pytest.mark.parametrize("text", ["2e-5", "0.0001", "1e-6"])
def test_rate_is_refused_where_a_multiplier_is_taken(text: str) -> None:
    assert refused(lambda: parse_rate(text, "multiplier")) == "lr-unit"


@pytest.mark.parametrize(
    ("text", "rate"), [("auto", Rate()), ("2e-5", Rate(absolute=2e-5)), ("0.01", Rate(None, 0.01))]
)
def test_rate_is_read_where_the_provider_takes_one(text: str, rate: Rate) -> None:
    assert parse_rate(text, "absolute") == rate


@pytest.mark.parametrize(("text", "code"), [
    ("x0.5", "lr-unit"), ("0.5", "lr-unit"), ("2", "lr-unit"), ("1e99", "lr-unit"), ("0", "lr-invalid"),
    ("fast", "lr-invalid"), ("-1e-5", "lr-invalid"),
])  # fmt: skip
def test_what_is_no_rate_is_refused(text: str, code: str) -> None:
    assert refused(lambda: parse_rate(text, "absolute")) == code


@pytest.mark.parametrize(("text", "value"), [("", None), ("auto", None), ("0.1", 0.1), ("2", 2.0), ("1e-3", 0.001)])
def test_beta_is_read(text: str, value: float | None) -> None:
    assert parse_number(text, name="Beta", above=0, most=2) == value


@pytest.mark.parametrize("text", ["0", "2.01", "-1", "nan", "inf", "1,5", "half"])
def test_what_is_no_beta_is_refused(text: str) -> None:
    assert refused(lambda: parse_number(text, name="Beta", above=0, most=2)) == "beta-invalid"


@pytest.mark.parametrize(
    ("text", "value"),
    [("", None), ("5", 5.0), ("$2.50", 2.5), ("$1,000", 1000.0), ("0", 0.0), ("$ .5", 0.5), ("1,234,567.5", 1234567.5)],
)
def test_cap_is_read_as_dollars(text: str, value: float | None) -> None:
    assert parse_usd(text) == value


@pytest.mark.parametrize(
    "text",
    ["five", "-1", "1e3", "1e309", "€5", "$", ",", "$,", "nan", "inf", "Infinity", "2,50", "1,5", "1,00,000", "0x5",
     "5 5", "٥", "５", "--1", "+1"],  # noqa: RUF001 - digits of other scripts
)  # fmt: skip
def test_what_is_no_amount_is_refused(text: str) -> None:
    """Whoever names the most that it may cost, and is misread, pays more than that."""
    assert refused(lambda: parse_usd(text)) == "cap-invalid"


@pytest.mark.parametrize(("text", "method"), [("sft", "supervised"), ("DPO", "dpo"), ("rft", "reinforcement"),
                                              ("preference", "dpo")])  # fmt: skip
def test_method_goes_by_several_names(text: str, method: str) -> None:
    assert parse_method(text) == method


def test_unknown_method_and_effort_are_refused() -> None:
    assert refused(lambda: parse_method("ppo")) == "method-invalid"
    assert refused(lambda: parse_effort("huge")) == "effort-invalid"
    assert parse_effort("High") == "high"


@pytest.mark.parametrize(
    ("text", "wandb"),
    [
        ("", None),
        ("tickets", Wandb(project="tickets")),
        ("support/tickets", Wandb(project="tickets", entity="support")),
        ("support/tickets/first #a #b", Wandb(project="tickets", entity="support", name="first", tags=("a", "b"))),
    ],
)
def test_place_at_weights_and_biases_is_read(text: str, wandb: Wandb | None) -> None:
    assert parse_wandb(text) == wandb


@pytest.mark.parametrize("text", ["a/b/c/d", "a b", "/a", "a//b", "a #", "#a", "a" * 300, "<!channel>"])
def test_what_is_no_place_is_refused(text: str) -> None:
    assert refused(lambda: parse_wandb(text)) == "wandb-invalid"


names = st.from_regex(r"[A-Za-z0-9_.-]{1,20}", fullmatch=True)


@given(names, names | st.just(""), names | st.just(""), st.lists(names, max_size=4))
def test_place_said_in_words_is_read_back(project: str, entity: str, name: str, tags: list[str]) -> None:
    wandb = Wandb(project=project, entity=entity, name=name if entity else "", tags=tuple(tags))
    assert parse_wandb(wandb_words(wandb)) == wandb


@given(st.text())
def test_anything_typed_is_read_or_refused(text: str) -> None:
    parsers: list[Callable[[], Any]] = [
        lambda: parse_rate(text, "multiplier"), lambda: parse_rate(text, "absolute"), lambda: parse_usd(text),
        lambda: parse_wandb(text), lambda: parse_grader(text), lambda: parse_effort(text),
    ]  # fmt: skip
    for parse in parsers:
        try:
            parse()
        except UserError:
            assert refused(parse)


def test_short_grader_compares_with_a_column() -> None:
    assert json.loads(parse_grader("exact:answer")) == {
        "type": "string_check", "name": "exact", "operation": "eq",
        "input": "{{sample.output_text}}", "reference": "{{item.answer}}",
    }  # fmt: skip
    assert json.loads(parse_grader("similar:answer"))["evaluation_metric"] == "fuzzy_match"


def test_grader_is_the_same_however_it_is_written() -> None:
    grader = {"type": "python", "name": "mine", "source": "def grade(sample, item): return 1.0"}
    written = [json.dumps(grader), json.dumps(dict(reversed(grader.items())), indent=4)]
    assert len({parse_grader(text) for text in written}) == 1
    assert parse_grader(parse_grader(written[0])) == parse_grader(written[0])


EXACT: dict[str, Any] = {
    "type": "string_check", "name": "e", "input": "{{sample.output_text}}", "reference": "{{item.a}}",
    "operation": "eq",
}  # fmt: skip
ASKED: dict[str, Any] = {
    "model": "o3-mini",
    "input": [{"role": "user", "content": "How good is {{sample.output_text}}?"}],
}
LABEL: dict[str, Any] = {
    "type": "label_model", "name": "l", **ASKED, "labels": ["good", "bad"], "passing_labels": ["good"],
}  # fmt: skip
SCORE: dict[str, Any] = {
    "type": "score_model", "name": "s", **ASKED, "range": [0, 10], "sampling_params": {"temperature": 0, "seed": 1},
}  # fmt: skip


def several(graders: Any) -> dict[str, Any]:
    return {"type": "multi", "name": "m", "graders": graders, "calculate_output": "0.5 * e + 0.5 * s"}


@pytest.mark.parametrize(
    "grader",
    [
        EXACT,
        EXACT | {"operation": "ilike"},
        {**EXACT, "type": "text_similarity", "evaluation_metric": "rouge_l"} | {"operation": None},
        {"type": "python", "name": "p", "source": "def grade(sample, item): return 1.0", "image_tag": "2025-05-08"},
        SCORE,
        {"type": "score_model", "name": "s", **ASKED},
        several(EXACT),
        several([EXACT, SCORE, LABEL]),
        several({"e": EXACT, "s": SCORE}),
    ],
    ids=lambda grader: grader["type"],
)
def test_every_kind_of_grader_is_taken_as_it_is(grader: dict[str, Any]) -> None:
    """Those that OpenAI's specification has, with all of their fields; a "multi" in the three forms it is told in."""
    given = {name: value for name, value in grader.items() if value is not None}
    assert json.loads(parse_grader(json.dumps(given))) == given


@pytest.mark.parametrize(
    ("grader", "said"),
    [
        (EXACT | {"input": 1}, "In a string_check grader, input must be a text."),
        (EXACT | {"operation": "is"}, "In a string_check grader, operation must be one of eq, ne, like, ilike."),
        (EXACT | {"operation": ["eq"]}, "In a string_check grader, operation must be one of"),
        (SCORE | {"input": "text"}, "In a score_model grader, input must be a list of messages"),
        (SCORE | {"input": [{"role": "judge", "content": "x"}]}, "each with a role and a content"),
        (SCORE | {"range": [10, 0]}, "In a score_model grader, range must be two numbers, the lower one first."),
        (SCORE | {"range": [0]}, "two numbers"),
        (SCORE | {"sampling_params": 1}, "must be an object"),
        (LABEL, "A grader's type is one of string_check, text_similarity, python, score_model, multi."),
        (several([LABEL | {"passing_labels": ["best"]}]), "passing_labels must be some of its labels."),
        (several([LABEL | {"labels": []}]), "In a label_model grader, labels must be a list of texts."),
        (several([]), "needs graders to put together"),
        (several([several([EXACT])]), "one of string_check, text_similarity, python, score_model, label_model."),
        (several({"e": EXACT, "s": "SCORE"}), "A grader's type is one of"),
        (several([EXACT]) | {"calculate_output": " "}, "In a multi grader, calculate_output must be a text."),
    ],
)
def test_what_is_wrong_with_a_grader_is_said(grader: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as raised:
        parse_grader(json.dumps(grader))
    assert said in raised.value.message


@pytest.mark.parametrize(
    "grader",
    [
        "[]", "1", '"exact"', "{}", '{"type": "magic"}', '{"type": ["python"]}',
        '{"type": "python", "name": "a"}', '{"type": "python", "name": "", "source": "x"}',
        '{"type": "python", "name": "a", "source": "x", "extra": 1}',
        '{"type": "string_check", "name": "a", "input": "b", "reference": "c", "operation": "is"}',
        '{"type": "multi", "name": "a", "graders": {"type": "python"}, "calculate_output": "x"}',
    ],
)  # fmt: skip
def test_what_is_no_grader_is_refused(grader: str) -> None:
    assert refused(lambda: parse_grader(grader)) == "grader-invalid"


def test_missing_grader_is_asked_for() -> None:
    assert refused(lambda: parse_grader(" ")) == "grader-missing"
