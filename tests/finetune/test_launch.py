"""What a person confirms: one digest over every field, and parsers that say what to change."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.errors import UserError
from finetune.launch import (
    SEED_MAX,
    Parent,
    Quote,
    Reinforcement,
    TrainRequest,
    Validation,
    Wandb,
    parse_multiplier,
    parse_suffix,
    parse_whole,
    suffix_from_filename,
)
from tests.support.samples import a_quote, a_request

if TYPE_CHECKING:
    from collections.abc import Callable

OTHER: dict[str, Any] = {
    "dataset": "d2",
    "sha256": "ba" * 32,
    "format": "dpo",
    "provider": "openai",
    "model": "gpt-4.1-mini",
    "suffix": "other",
    "seed": 8,
    "epochs": None,
    "batch_size": 4,
    "learning_rate_multiplier": 0.5,
    "holdout_percent": 0,
    "quote": a_quote(high_usd=2.01),
    "method": "dpo",
    "learning_rate": 2e-5,
    "beta": 0.1,
    "reinforcement": Reinforcement(grader="cd" * 32),
    "validation": Validation(dataset="d3", sha256="ef" * 32),
    "parent": Parent(job="j7", name="ft:tiny:local:seven:1"),
    "wandb": Wandb(project="tickets"),
    "cap_usd": 5.0,
    "classes": 3,
    "positive": 0,
}
OTHER_QUOTE: dict[str, Any] = {
    "low_usd": 1.01,
    "high_usd": 2.01,
    "epochs": 4,
    "tokens": 40_001,
    "prices_as_of": "2026-11-02",
}


def test_samples_name_every_field() -> None:
    """So that a field added later is in the two tests below."""
    assert set(OTHER) == {field.name for field in dataclasses.fields(TrainRequest)}
    assert set(OTHER_QUOTE) == {field.name for field in dataclasses.fields(Quote)}


NESTED: dict[str, Any] = {
    "validation": [Validation(dataset="d4", sha256="ef" * 32), Validation(dataset="d3", sha256="00" * 32)],
    "parent": [Parent(job="j7", name="ft:tiny:local:seven:1", step=600), Parent(job="j8", name="ft:other")],
    "wandb": [
        Wandb(project="tickets", entity="support"),
        Wandb(project="tickets", name="first"),
        Wandb(project="tickets", tags=("a",)),
    ],
    "reinforcement": [
        Reinforcement(grader="00" * 32),
        Reinforcement(grader="cd" * 32, reasoning_effort="low"),
        Reinforcement(grader="cd" * 32, compute_multiplier=2.0),
        Reinforcement(grader="cd" * 32, eval_interval=5),
        Reinforcement(grader="cd" * 32, eval_samples=5),
    ],
}


@pytest.mark.parametrize("field", NESTED)
def test_digest_changes_with_everything_inside_a_field(field: str) -> None:
    digests = [a_request(**{field: value}).digest() for value in [OTHER[field], *NESTED[field]]]
    assert len(set(digests)) == len(digests)


def test_request_of_before_there_were_methods_reads_as_supervised() -> None:
    """A record of an older release has none of the later fields; what was confirmed then is still what is asked."""
    request = a_request()
    assert set(request.as_dict()) == {
        "dataset", "sha256", "format", "provider", "model", "suffix", "seed", "epochs", "batch_size",
        "learning_rate_multiplier", "holdout_percent", "quote",
    }  # fmt: skip
    assert msgspec.convert(request.as_dict(), TrainRequest) == request


@pytest.mark.parametrize("field", OTHER)
def test_digest_changes_with_every_field(field: str) -> None:
    assert a_request(**{field: OTHER[field]}).digest() != a_request().digest()


@pytest.mark.parametrize("field", OTHER_QUOTE)
def test_digest_changes_with_every_field_of_the_quote(field: str) -> None:
    changed = a_request(quote=a_quote(**{field: OTHER_QUOTE[field]}))
    assert changed.digest() != a_request().digest()


def test_digest_is_the_same_in_every_process_and_release() -> None:
    """A confirmation may be older than the process that checks it: this figure changes only with a schema number."""
    assert a_request().digest() == a_request().digest()
    assert a_request().digest() == "211d60457104c3eff9b4492c7e7faf90384311695e53aebe87bbfeb815ab931f"


numbers = st.floats(allow_nan=False, allow_infinity=False)
quotes = st.builds(
    Quote,
    low_usd=numbers,
    high_usd=numbers,
    epochs=st.integers(),
    tokens=st.integers(),
    prices_as_of=st.text(),
)
requests = st.builds(
    TrainRequest,
    **{name: st.text() for name in ("dataset", "sha256", "format", "provider", "model", "suffix")},
    **{name: st.integers() for name in ("seed", "holdout_percent")},
    **{name: st.none() | st.integers() for name in ("epochs", "batch_size")},
    learning_rate_multiplier=st.none() | numbers,
    quote=quotes,
    method=st.sampled_from(["supervised", "dpo", "reinforcement"]),
    validation=st.none() | st.builds(Validation, dataset=st.text(), sha256=st.text()),
    parent=st.none() | st.builds(Parent, job=st.text(), name=st.text(), step=st.integers()),
    wandb=st.none() | st.builds(Wandb, project=st.text(), tags=st.lists(st.text()).map(tuple)),
    cap_usd=st.none() | numbers,
)


@given(requests)
def test_request_comes_back_from_json_with_its_digest(request: TrainRequest) -> None:
    back = TrainRequest.from_dict(json.loads(json.dumps(request.as_dict())))
    assert back == request
    assert back.digest() == request.digest()


@given(requests, requests)
def test_digest_is_equal_only_where_the_requests_are(one: TrainRequest, other: TrainRequest) -> None:
    """Compared as JSON: 0.0 and -0.0 are equal numbers and different requests, and either answer is safe."""
    assert (one.digest() == other.digest()) == (json.dumps(one.as_dict()) == json.dumps(other.as_dict()))


def test_request_with_a_field_missing_or_unknown_is_refused() -> None:
    whole = a_request().as_dict()
    with pytest.raises(TypeError):
        TrainRequest.from_dict({name: value for name, value in whole.items() if name != "seed"})
    with pytest.raises(TypeError):
        TrainRequest.from_dict({**whole, "hidden": 1})


def refused(parse: Callable[[], Any]) -> str:
    """The refusal's code."""
    with pytest.raises(UserError) as refusal:
        parse()
    assert refusal.value.message
    assert refusal.value.hint
    return refusal.value.code


@pytest.mark.parametrize(
    ("text", "suffix"),
    [("support-bot", "support-bot"), ("  Support-Bot ", "support-bot"), ("a", "a"), ("7", "7"), ("a" * 64, "a" * 64)],
)
def test_suffix_is_taken_in_the_providers_alphabet(text: str, suffix: str) -> None:
    assert parse_suffix(text) == suffix


@pytest.mark.parametrize(
    "text", ["", " ", "-", "-a", "a-", "a" * 65, "a b", "a_b", "a:b", "ft:x", "é", "이름", "a\nb", "<!channel>", "a/b"]
)
def test_suffix_outside_the_alphabet_is_refused(text: str) -> None:
    assert refused(lambda: parse_suffix(text)) == "suffix-invalid"


@given(st.text())
def test_suffix_is_a_providers_or_a_refusal(text: str) -> None:
    try:
        suffix = parse_suffix(text)
    except UserError:
        assert refused(lambda: parse_suffix(text)) == "suffix-invalid"
    else:
        assert re.fullmatch(r"[a-z0-9-]{1,64}", suffix)
        assert parse_suffix(suffix) == suffix


@pytest.mark.parametrize(
    ("filename", "suffix"),
    [
        ("Support tickets (final).jsonl", "support-tickets-final"),
        ("a/b/tickets.csv", "tickets"),
        ("tickets.v2.jsonl", "tickets"),
        (".jsonl", "model"),
        ("", "model"),
        ("표.jsonl", "model"),
        ("--x--.jsonl", "x"),
        ("x" * 39 + " y.jsonl", "x" * 39),
    ],
)
def test_suffix_is_proposed_from_the_filename(filename: str, suffix: str) -> None:
    assert suffix_from_filename(filename) == suffix


@given(st.text())
def test_proposed_suffix_is_one_that_is_taken(filename: str) -> None:
    suffix = suffix_from_filename(filename)
    assert parse_suffix(suffix) == suffix


@pytest.mark.parametrize(
    ("text", "value"),
    [("", None), (" auto ", None), ("1", 1), (" 50 ", 50), ("007", 7)],
)
def test_whole_number_is_read(text: str, value: int | None) -> None:
    assert parse_whole(text, name="epochs", low=1, high=50) == value


@pytest.mark.parametrize("text", ["0", "51", "-1", "+1", "1.5", "1e1", "ten", "1_0", "٣", "9" * 5000, "1 2", "None"])
def test_what_is_no_whole_number_in_range_is_refused(text: str) -> None:
    assert refused(lambda: parse_whole(text, name="epochs", low=1, high=50)) == "epochs-invalid"


def test_whole_number_reaches_both_ends_of_its_range() -> None:
    assert parse_whole(str(SEED_MAX), name="seed", low=0, high=SEED_MAX) == SEED_MAX
    assert parse_whole("0", name="seed", low=0, high=SEED_MAX) == 0
    assert refused(lambda: parse_whole(str(SEED_MAX + 1), name="seed", low=0, high=SEED_MAX)) == "seed-invalid"


@pytest.mark.parametrize(
    ("text", "value"),
    [("", None), ("auto", None), ("0.5", 0.5), (" x2 ", 2.0), ("100", 100.0), ("1e-3", 0.001), (".1", 0.1)],
)
def test_multiplier_is_read(text: str, value: float | None) -> None:
    assert parse_multiplier(text) == value


@given(st.floats(1e-9, 100))
def test_multiplier_that_was_chosen_is_read_again(value: float) -> None:
    """As a launch that is made again writes it: "x1e-05" is how Python says 0.00001."""
    assert parse_multiplier(f"x{value}") == value


@pytest.mark.parametrize("text", ["0", "-1", "100.1", "nan", "inf", "-inf", "1e400", "1e-400", "half", "1,5", "0x1"])
def test_what_is_no_multiplier_is_refused(text: str) -> None:
    assert refused(lambda: parse_multiplier(text)) == "lr-invalid"


@given(st.text())
def test_numbers_are_read_or_refused_whatever_is_typed(text: str) -> None:
    """Nothing a person types is anything but a number or a refusal."""
    for parse in (parse_multiplier, lambda typed: parse_whole(typed, name="epochs", low=1, high=50)):
        try:
            value = parse(text)
        except UserError:
            continue
        assert value is None or 0 < value <= 100
