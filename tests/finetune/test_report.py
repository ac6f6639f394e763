"""The report holds the figures of the file, and says them in JSON as documented."""

import pytest

from finetune.counting.lengths import Lengths
from finetune.counting.tokens import TokenCounter
from finetune.report import Report, Tokens
from tests.finetune.rows import chat, jsonl, message, pair, report_of

DESIGNED = {"format", "task", "rows", "examples", "tokens", "epochs", "price_usd", "findings"}
FINDING = {"code", "severity", "rows", "message", "hint", "fixable"}


def test_the_json_has_every_documented_name() -> None:
    report = report_of(jsonl([*map(chat, range(9))]))
    shown = report.as_json()
    assert shown.keys() >= DESIGNED
    assert shown["tokens"].keys() == {"total", "max", "p50", "p95"}
    assert shown["price_usd"]["toy-gpt"] == {"low": 0, "high": 0}
    assert shown["findings"][0].keys() >= FINDING
    assert (shown["format"], shown["task"], shown["verdict"]) == ("chat", "chat", "rejected")


def test_the_json_comes_back_as_the_same_report() -> None:
    report = report_of(jsonl([*map(pair, range(12))]))
    assert Report.from_json(report.as_json()) == report


@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        (jsonl([*map(chat, range(60))]), "accepted"),
        (jsonl([*map(chat, range(12))]), "accepted"),
        (jsonl([*map(chat, range(9))]), "rejected"),
        (b"", "unreadable"),
        (b"{}", "unreadable"),
    ],
)
def test_the_verdict_is_by_errors_and_examples(content: bytes, verdict: str) -> None:
    assert report_of(content).verdict == verdict


def test_chat_tokens_are_three_a_message_its_role_its_content_its_name_and_three_an_example() -> None:
    count = TokenCounter.load("o200k_base").count
    rows = [
        chat(1),
        {"messages": [message("user", "여보세요?", name="mina"), message("assistant", "hello <|endoftext|>")]},
        {"messages": [message("user", [{"type": "text", "text": "a picture"}]), message("assistant", "yes")]},
    ]
    expected = [
        3 + 3 * 3 + sum(count(text) for m in rows[0]["messages"] for text in (m["role"], m["content"])),
        3 + 2 * 3 + 1 + sum(map(count, ["user", "여보세요?", "mina", "assistant", "hello <|endoftext|>"])),
        3 + 2 * 3 + sum(map(count, ["user", "a picture", "assistant", "yes"])),
    ]
    tokens = report_of(jsonl(rows)).tokens
    assert (tokens.total, tokens.max) == (sum(expected), max(expected))


def test_a_pair_s_tokens_are_those_of_its_two_texts() -> None:
    count = TokenCounter.load("o200k_base").count
    rows = [*map(pair, range(12))]
    assert report_of(jsonl(rows)).tokens.total == sum(count(r["prompt"]) + count(r["completion"]) for r in rows)


def test_percentiles_are_by_nearest_rank() -> None:
    lengths = Lengths()
    for tokens in range(1, 101):
        lengths.add(tokens)
    assert lengths.summary() == Tokens(total=5050, max=100, p50=50, p95=95)
    assert lengths.capped(10) == sum(range(1, 11)) + 90 * 10
    assert Lengths().summary() == Tokens()
