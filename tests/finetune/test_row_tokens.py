"""Each row of a file has the tokens that OpenAI's cookbook counts with tiktoken, whoever of ours counts them."""

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest

from finetune.checking import batches
from finetune.checking.batches import Batches, Marked
from finetune.checking.study import Studied
from finetune.containers.jsonl import parse
from finetune.formats import chat
from tests.finetune.rows import CATALOGUE, jsonl, report_of
from tests.finetune.test_tokens import ENCODINGS, NASTY, nasty_text, reference_count

ROWS = 400


def nasty_rows() -> list[dict[str, Any]]:
    """Conversations of texts of every kind, some with names; every fifth text is one that other rows have."""
    rng = random.Random(20261123)

    def message(role: str) -> dict[str, Any]:
        content = rng.choice(NASTY) if rng.random() < 0.2 else nasty_text(rng)
        name = {"name": rng.choice(["mina", "조은", "agent-7"])} if rng.random() < 0.1 else {}
        return {"role": role, "content": content, **name}

    roles = [["system", "user", "assistant"], ["user", "assistant"], ["developer", "user", "assistant"] * 2]
    return [{"messages": [message(role) for role in rng.choice(roles)]} for _ in range(ROWS)]


def cookbook_tokens(encoding: str, row: dict[str, Any]) -> int:
    """As the notebook "Data preparation and analysis for chat model fine-tuning" counts, with the right encoding."""
    tokens = 3
    for message in row["messages"]:
        tokens += 3
        for key, value in message.items():
            tokens += reference_count(encoding, value) + (key == "name")
    return tokens


def counted(rows: list[dict[str, Any]], *, alone: bool) -> dict[str, list[int]]:
    """Return the tokens of each row by each encoding, as a check counts them."""
    found: dict[str, list[int]] = {encoding: [] for encoding in ENCODINGS}

    def take(marked: Sequence[Marked], studied: Studied) -> None:
        for encoding, tokens in zip(ENCODINGS, studied.tokens, strict=True):
            found[encoding] += [row.example.overhead + text for row, text in zip(marked, tokens, strict=True)]

    with Batches(list(ENCODINGS), None, take, alone=alone) as studied:
        for number, row in enumerate(rows, start=1):
            line = json.dumps(row).encode()
            example = chat.read_plain(line) or chat.read(parse(line, number)[0] or {}, line)
            assert not isinstance(example, str)
            studied.add(number, example)
        studied.finish()
    return found


@pytest.mark.parametrize(("many_characters", "alone"), [(10**9, True), (20_000, True), (20_000, False)])
def test_every_row_has_the_tokens_that_tiktoken_counts(
    monkeypatch: pytest.MonkeyPatch, many_characters: int, *, alone: bool
) -> None:
    monkeypatch.setattr(batches, "BATCH_CHARACTERS", 5_000)
    monkeypatch.setattr(batches, "MANY_CHARACTERS", many_characters)
    rows = nasty_rows()
    assert counted(rows, alone=alone) == {
        encoding: [cookbook_tokens(encoding, row) for row in rows] for encoding in ENCODINGS
    }


def test_a_report_sums_them_up() -> None:
    rows = [row for row in nasty_rows() if all(message["content"].strip() for message in row["messages"])]
    lengths = sorted(cookbook_tokens("o200k_base", row) for row in rows)
    tokens = report_of(jsonl(rows)).tokens
    assert (tokens.total, tokens.max, tokens.p50) == (sum(lengths), lengths[-1], lengths[(len(lengths) + 1) // 2 - 1])


def test_a_model_s_own_encoding_counts() -> None:
    models = {model.encoding: model.name for model in CATALOGUE.on_offer()}
    for encoding, model in models.items():
        rows = nasty_rows()[:50]
        expected = sum(cookbook_tokens(encoding, row) for row in rows)
        assert report_of(jsonl(rows), models=(model,)).tokens.total == expected
