"""What a comparison may cost at most, and the digest that a person confirms."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.catalogue import AnswerPrice
from finetune.comparison_request import ROW_TOKENS, CompareRequest, most_usd
from finetune.contract import PromptContract
from finetune.counting.tokens import token_ids
from finetune.held_out import HeldOutRow

REQUEST = CompareRequest(
    job="j7", against="base", tuned="ft:a", other="a", plan="ab", tuned_rows=0, other_rows=200, tuned_usd=0.0,
    other_usd=0.08, prices_as_of="2026-11-15",
)  # fmt: skip
CHANGED: dict[type, Any] = {str: "else", int: 9, float: 9.5}


PRICE = AnswerPrice(1.0, 4.0)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(REQUEST)])
def test_every_field_is_in_the_digest(field: str) -> None:
    other = dataclasses.replace(REQUEST, **{field: CHANGED[type(getattr(REQUEST, field))]})
    assert other.digest() != REQUEST.digest()
    assert dataclasses.replace(REQUEST).digest() == REQUEST.digest()


def test_the_price_is_that_of_every_row_and_answer() -> None:
    rows = [HeldOutRow("ticket", "billing"), HeldOutRow("parcel", "shipping", system="Be brief.")]
    contract = PromptContract(kind="chat", system="Sort it.")
    asked = len("ticket" + "Sort it." + "parcel" + "Be brief.") + 2 * ROW_TOKENS
    assert most_usd(PRICE, contract, rows, 12) == pytest.approx((asked + 4 * 24) / 1_000_000)
    plain = PromptContract(kind="completion", separator=" ->")
    asked = len("ticket ->" + "parcel ->") + 2 * ROW_TOKENS
    assert most_usd(PRICE, plain, rows, 12) == pytest.approx((asked + 4 * 24) / 1_000_000)


@given(st.text(max_size=200))
def test_no_text_has_more_tokens_than_are_reckoned(text: str) -> None:
    ids = token_ids("o200k_base")
    if ids is None:
        pytest.skip("no ranks on this machine")
    dear = AnswerPrice(1_000_000.0, 0.0)
    most = most_usd(dear, PromptContract(kind="chat"), [HeldOutRow(text, "a")], 1)
    assert most is not None
    assert len(ids(text)) <= most


def test_without_a_price_there_is_no_quote() -> None:
    assert most_usd(None, PromptContract(kind="chat"), [], 1) is None
