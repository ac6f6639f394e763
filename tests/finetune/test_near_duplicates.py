"""Rows that say nearly the same are found, others are not, and memory stays within its bound."""

import random
import tracemalloc
import unicodedata

import numpy as np
import pytest

from finetune.checking.near_duplicates import NearDuplicates
from finetune.checking.windows import SKETCH_SIZE, sketches
from tests.finetune.rows import found, jsonl, message, report_of

LETTER = (
    "Hello, since the update on Monday the export to PDF fails for every invoice, "
    "the page stays white and nothing is saved. What can I do about it?"
)


def pairs_of(texts: list[str]) -> list[tuple[int, int]]:
    near = NearDuplicates()
    for start in range(0, len(texts), 7):
        piece = texts[start : start + 7]
        near.add(*sketches(piece), np.arange(start + 1, start + 1 + len(piece), dtype=np.uint32))
    rows, originals = near.pairs()
    return list(zip(rows.tolist(), originals.tolist(), strict=True))


def prose(rng: random.Random, words: int = 40) -> str:
    return " ".join("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9))) for _ in range(words))


@pytest.mark.parametrize(
    "again",
    [
        LETTER.upper(),
        LETTER.replace(" ", "  ").replace(",", "") + "\n",
        LETTER.replace("white", "blank"),
        "Hi there! " + LETTER,
        LETTER.replace("page", "\uff50\uff41\uff47\uff45"),
    ],
)
def test_the_same_letter_otherwise_written_is_a_near_duplicate(again: str) -> None:
    assert pairs_of(["Another question altogether, about shoes.", LETTER, again]) == [(3, 2)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "오늘 아침부터 로그인이 되지 않습니다. 비밀번호를 다시 설정해 주세요.",
            "오늘 아침부터 로그인이 되지 않습니다! 비밀번호를 다시 설정해주세요",
        ),
        (
            "今朝からログインできません。パスワードを再設定してください。",
            "今朝からログインできません パスワードを再設定してください",
        ),
        ("비밀번호를 다시 설정해 주세요", unicodedata.normalize("NFD", "비밀번호를 다시 설정해 주세요")),
    ],
)
def test_korean_and_japanese_are_compared_by_their_characters(one: str, other: str) -> None:
    assert pairs_of([one, other]) == [(2, 1)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (LETTER, LETTER[: len(LETTER) // 2] + " I bought shoes in the shop yesterday and they are too small for me."),
        (f"Order 4711. {LETTER}", f"Order 4712. {LETTER}"),
        ("What is 12 + 7?", "What is 12 + 8?"),
        ("오늘 날씨가 참 좋습니다.", "어제 회의는 아주 길었습니다."),
        ("", ""),
        ("!?", "…"),
    ],
)
def test_other_texts_and_other_numbers_are_not(one: str, other: str) -> None:
    assert pairs_of([one, other]) == []


def test_the_first_of_a_group_is_named_and_every_other_is_found_once() -> None:
    assert pairs_of([LETTER, "shoes " + LETTER, LETTER.lower(), LETTER + " Thanks!"]) == [(2, 1), (3, 1), (4, 1)]


def test_one_changed_word_in_forty_is_nearly_always_found_and_chance_finds_nothing() -> None:
    rng = random.Random(3)
    originals = [prose(rng) for _ in range(400)]
    changed = [text.replace(text.split()[20], "changed") for text in originals]
    found_pairs = pairs_of(originals + changed)
    assert set(found_pairs) <= {(401 + index, 1 + index) for index in range(400)}
    assert len(found_pairs) >= 396


def test_rows_beyond_the_memory_are_sampled_by_kind_and_the_sampling_is_known() -> None:
    rng = random.Random(4)
    texts = [prose(rng) for _ in range(1_000)]
    near = NearDuplicates(capacity=600)
    near.add(*sketches(texts + texts), np.arange(1, 2_001, dtype=np.uint32))
    rows, originals = near.pairs()
    assert near.one_in in {4, 8}
    assert (rows - originals == 1_000).all()
    assert len(rows) > 1_000 / near.one_in / 2


def test_four_hundred_thousand_rows_take_less_than_64_mb() -> None:
    near = NearDuplicates()
    rng = np.random.default_rng(5)
    tracemalloc.start()
    for start in range(0, 500_000, 5_000):
        found = np.sort(rng.integers(0, 1 << 32, (5_000, SKETCH_SIZE), dtype=np.uint32), axis=1)
        found[::2] = found[1::2]
        numbers = np.zeros(5_000, dtype=np.uint32)
        near.add(found, numbers, np.arange(start, start + 5_000, dtype=np.uint32))
    rows, _ = near.pairs()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(rows) > 100_000
    assert peak < 64 * 1024**2


def chat_of(question: str, answer: str) -> dict[str, object]:
    system = message("system", "You help the customers of a shop that sells software, and you answer politely. " * 5)
    return {"messages": [system, message("user", question), message("assistant", answer)]}


def test_the_report_names_the_row_and_its_original_and_leaves_exact_repeats_to_their_own_finding() -> None:
    rng = random.Random(6)
    rows = [chat_of(prose(rng), prose(rng)) for _ in range(60)]
    rows[30] = rows[10]
    rows[40] = chat_of(LETTER, "Please update to the newest version.")
    rows[50] = chat_of(LETTER.lower(), "Please update to the newest version!")
    findings = found(report_of(jsonl(rows)))
    assert findings["near-duplicate"].rows == (51,)
    assert findings["near-duplicate"].hint.startswith("Row 51 says nearly what row 41 says.")
    assert findings["duplicate-row"].rows == (31,)
