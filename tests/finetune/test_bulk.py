"""The counter for much text counts as tiktoken does on every text, and does not grow without end."""

import random
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from finetune.containers.surrogates import in_utf8
from finetune.counting import bulk
from finetune.counting.bulk import CHANGED_IN_UNICODE_17, PROOF_TOKENS, SEPARATOR, BulkCounter, proof_texts
from finetune.counting.tokens import EncodingName, TokenCounter
from tests.finetune.test_tokens import ENCODINGS, NASTY, nasty_text, reference_count

pytest.importorskip("gigatoken", reason="no wheel for this machine: the ordinary counter counts all")

CHANGED = [chr(number) for number in range(sys.maxunicode + 1) if CHANGED_IN_UNICODE_17.match(chr(number))]
CONTRACTIONS = [
    "'s",
    "'LL",
    "'\u017f",
    "\u017f",
    "\n",
    "\r\n",
    "/",
    " ",
    "\u3000",
    "\x85",
    "A",
    "b",
    "7",
    "!",
    "<|endoftext|>",
]


def test_the_changed_characters_are_the_4_700_of_unicode_17() -> None:
    assert len(CHANGED) == 4_700


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_counts_equal_tiktokens_on_six_thousand_nasty_texts(encoding: EncodingName) -> None:
    counter = TokenCounter.load_for_much(encoding)
    rng = random.Random(20261122)
    mixed = ["".join(rng.choices(CONTRACTIONS + NASTY[5:14], k=8)) for _ in range(2_000)]
    changed = ["".join(rng.choices([*CONTRACTIONS, *rng.choices(CHANGED, k=9)], k=9)) for _ in range(2_000)]
    texts = [*NASTY, *mixed, *changed, *(nasty_text(rng) for _ in range(2_000))]
    references = [reference_count(encoding, text) for text in texts]
    assert counter.exact
    assert [text for text, tokens in zip(texts, references, strict=True) if counter.count(text) != tokens] == []
    assert counter.count_all([in_utf8(text) for text in texts]) == references


def test_texts_that_hold_the_separator_are_counted_as_tiktoken_counts_them() -> None:
    separator = SEPARATOR.decode()
    texts = ["plain", separator, f"a{separator}", f"{separator}{separator}b", "", f"한국어{separator}日本", "end"] * 3
    references = [reference_count("o200k_base", text) for text in texts]
    assert MUCH.count_all([in_utf8(text) for text in texts]) == references
    assert [MUCH.count(text) for text in texts] == references


def test_no_text_is_no_count_and_empty_texts_are_counted_as_0() -> None:
    assert MUCH.count_all([]) == []
    assert MUCH.count_all([b"", b"", b"a", b""]) == [0, 0, 1, 0]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(st.characters(), max_size=40), max_size=12))
def test_texts_counted_together_count_as_they_do_alone(texts: list[str]) -> None:
    assert MUCH.count_all([in_utf8(text) for text in texts]) == [reference_count("o200k_base", text) for text in texts]


def test_texts_of_every_length_are_counted_together() -> None:
    rng = random.Random(9)
    texts = ["".join(rng.choices("abc 가나\n", k=length)) for length in (600_000, 3, 900_000, 400_000, 0, 700_000, 9)]
    assert MUCH.count_all([in_utf8(text) for text in texts]) == [reference_count("o200k_base", text) for text in texts]


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(), max_size=200))
def test_counts_equal_tiktokens_on_any_text(text: str) -> None:
    assert MUCH.count(text) == reference_count("o200k_base", text)


MUCH = TokenCounter.load_for_much("o200k_base")


@pytest.mark.parametrize("text", [" " * 1_000_000, "\n" * 1_000_000, "a" * 1_000_000, "한" * 1_000_000, "!?" * 500_000])
def test_a_million_characters_are_counted_at_once_and_alike(text: str) -> None:
    started = time.perf_counter()
    counted = MUCH.count(text)
    assert time.perf_counter() - started < 60
    assert counted == TokenCounter.load("o200k_base").count(text)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_each_character_there_is_counts_as_tiktoken_counts_it(encoding: EncodingName) -> None:
    counter = TokenCounter.load_for_much(encoding)
    characters = [chr(number) for number in range(sys.maxunicode + 1) if not 0xD800 <= number < 0xE000]
    blocks = [characters[at : at + 64] for at in range(0, len(characters), 64)]
    texts = ["".join(f"a{one}b {one}1{one}\n" for one in block) for block in blocks]
    assert [text for text in texts if counter.count(text) != reference_count(encoding, text)] == []


def test_a_line_of_twenty_megabytes_is_counted_as_tiktoken_counts_it() -> None:
    line = "all work and no play. " * 1_000_000
    assert MUCH.count(line) == reference_count("o200k_base", line)


@pytest.mark.parametrize(
    "text",
    [
        "".join(random.Random(3).choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ", k=400_000)),
        random.Random(4).randbytes(450_000).decode("utf-8", "replace"),
        random.Random(5).randbytes(400_000).decode("latin-1"),
        random.Random(6).randbytes(150_000).hex(),
    ],
    ids=["letters", "random-bytes", "latin-1", "hexadecimal"],
)
def test_a_long_text_without_sense_is_counted_as_tiktoken_counts_it(text: str) -> None:
    assert len(text.encode()) < bulk.PIECE_BYTES
    assert MUCH.count(text) == reference_count("o200k_base", text)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_proof_is_what_tiktoken_counts(encoding: EncodingName) -> None:
    assert sum(reference_count(encoding, text) for text in proof_texts()) == PROOF_TOKENS[encoding]


def test_a_counter_that_fails_its_proof_is_not_used() -> None:
    counter = BulkCounter(make=WrongTokenizer, exact=len, proven=lambda _: False)
    assert counter([b"", b"abc", b"x" * 2_000_000]) == [0, 3, 2_000_000]


def test_a_counter_that_panics_is_not_used_again() -> None:
    counter = BulkCounter(make=PanickingTokenizer, exact=len, proven=lambda _: True)
    assert [counter([b"abc", b"de"]), counter([b"f"])] == [[3, 2], [1]]


@pytest.mark.parametrize(("doubled_after", "renewed_after"), [(2_000_000, 12_000_000), (6_000_000, 18_000_000)])
def test_a_counter_is_made_anew_before_its_memory_doubles_twice(
    monkeypatch: pytest.MonkeyPatch, doubled_after: int, renewed_after: int
) -> None:
    made: list[int] = []
    counted = 0

    def make() -> WrongTokenizer:
        made.append(counted)
        return WrongTokenizer()

    monkeypatch.setattr(bulk, "resident_bytes", lambda: (140 if counted > doubled_after else 100) * 1024**2)
    counter = BulkCounter(make=make, exact=len, proven=lambda _: True)
    while counted < 30_000_000:
        counter([b"x" * 100_000])
        counted += 100_000
    assert made[0] == 0
    assert renewed_after <= made[1] <= renewed_after + 2_500_000


class WrongTokenizer:
    def encode(self, text: bytes, /) -> NDArray[np.uint32]:
        return np.zeros(len(text) + 1, dtype=np.uint32)


class PanicException(BaseException):
    """What a panic in Rust becomes."""


class PanickingTokenizer:
    def encode(self, text: bytes, /) -> NDArray[np.uint32]:
        raise PanicException(text)


def test_a_renewed_counter_counts_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "RENEWED_AFTER_BYTES", (2_000, 5_000))
    counter = TokenCounter.load_for_much("o200k_base")
    assert [counter.count(text) for text in NASTY] == [reference_count("o200k_base", text) for text in NASTY]


def test_without_gigatoken_the_ordinary_counter_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_spec(name: str) -> object:
        return None if name == "gigatoken" else object()

    monkeypatch.setattr("importlib.util.find_spec", find_spec)
    assert bulk.bulk_counter("o200k_base", None, len) is None
