"""What many texts share is what a slow look at all of them says."""

from __future__ import annotations

from os.path import commonprefix
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from finetune.checking.affixes import Absent, CommonPrefix, CommonSuffix
from finetune.checking.capitals import Capitals
from finetune.checking.duplicates import Keys, answer_key
from finetune.checking.entities import entities_of, is_ordered
from finetune.checking.pairs import BATCH_CHARACTERS, Pairs
from finetune.formats.example import Example, same_text
from finetune.shape import ENDINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXTS = st.lists(st.text("ab\n>", max_size=8), min_size=1, max_size=12)
ENDED = st.tuples(TEXTS, st.text("ab\n>", max_size=4)).map(lambda drawn: [text + drawn[1] for text in drawn[0]])
ANY_TEXT = st.text(max_size=30) | st.text("aAßΣ\u03c3Жж한あ\U0001d400🙂é", max_size=30)


@given(TEXTS | ENDED)
def test_the_beginning_and_end_that_all_share(texts: list[str]) -> None:
    prefix, suffix = CommonPrefix(), CommonSuffix()
    for row, text in enumerate(texts):
        prefix.add(text)
        suffix.add(text, row)
    assert prefix.known() == commonprefix(texts)  # noqa: RUF071 - of characters, indeed
    common = commonprefix([text[::-1] for text in texts])[::-1]  # noqa: RUF071 - the same
    assert suffix.known() == common
    inside = [row for row, text in enumerate(texts) if common and common in text[: -len(common)]]
    assert (suffix.inside().rows, suffix.inside().count) == (inside, len(inside))


@given(TEXTS)
def test_what_stands_in_none(texts: list[str]) -> None:
    absent = Absent(["a", "ba", "\n", ">>"])
    for text in texts:
        absent.add(text)
    assert absent.texts == [one for one in ("a", "ba", "\n", ">>") if not any(one in text for text in texts)]


@given(st.lists(ANY_TEXT, max_size=8))
def test_capitals_are_counted_in_every_script(texts: list[str]) -> None:
    capitals = Capitals()
    for text in texts:
        capitals.add(text)
    letters = [character for text in texts for character in text if character.isalpha()]
    upper = sum(character.isupper() for character in letters)
    assert (capitals.capitals, capitals.small) == (upper, sum(character.islower() for character in letters))
    assert capitals.are_many() == (upper * 2 > sum(character.islower() for character in letters))


@given(st.lists(st.tuples(st.sampled_from("pqr"), st.sampled_from(["x", "y", None])), max_size=30))
def test_repetitions_and_conflicts(rows: list[tuple[str, str | None]]) -> None:
    keys = Keys()
    for number, (asked, answered) in enumerate(rows, start=10):
        answer = None if answered is None else same_text(answered)
        keys.add(Example("chat", [], 0, same_text(asked), answer), number)
    first = {row: number for number, row in reversed([*enumerate(rows, start=10)])}
    expected = [(number, first[row]) for number, row in enumerate(rows, start=10) if first[row] != number]
    assert [*zip(*(found.tolist() for found in keys.repeats()), strict=True)] == expected
    disputed = {asked for asked, _ in rows if len({answered for other, answered in rows if other == asked}) > 1}
    assert keys.conflicts().tolist() == [n for n, (asked, _) in enumerate(rows, start=10) if asked in disputed]
    for row in map(int, keys.conflicts()[:1]):
        others = (n for n, other in enumerate(rows, start=10) if other[0] == rows[row - 10][0])
        assert keys.conflicting(row) == next(n for n in others if rows[n - 10] != rows[row - 10])
    answers, counts = keys.answers()
    given_answers = [answered for _, answered in rows if answered is not None]
    assert dict(zip(answers.tolist(), counts.tolist(), strict=True)) == {
        answer_key(answer): given_answers.count(answer) for answer in given_answers
    }


def test_texts_that_are_put_aside_are_looked_at_in_the_end() -> None:
    pairs = Pairs()
    long = "x" * (BATCH_CHARACTERS // 3)
    for row in range(10):
        pairs.add(f"{row} ->", f" {long} no END{row}" if row < 9 else " ***.\n", row)
    assert pairs.shape(10).suggested_ending == next(one for one in ENDINGS if one not in {"***", ".", "\n", " END"})


def listed(prompt: str, completion: str) -> Sequence[str]:
    return [text for _, text, _ in entities_of(prompt, completion)]


PROMPT = "Anna Lee met Bo in Porto. 철수는 서울에 갔다. 佐藤さんは名古屋にいる。"


def test_a_list_of_what_the_prompt_names_is_read_however_it_is_written() -> None:
    for said in (
        "Anna Lee\nBo\nPorto",
        " Anna Lee, Bo, Porto END",
        "- Anna Lee\n- Bo\n- Porto",
        "Anna Lee; Bo; Porto.",
    ):
        assert listed(PROMPT, said) == ["Anna Lee", "Bo", "Porto"]
    assert listed(PROMPT, "person: Anna Lee\nplace: Porto") == ["Anna Lee", "Porto"]
    assert listed(PROMPT, '{"people": ["Anna Lee", "Bo"], "place": "Porto", "age": null}') == [
        "Anna Lee",
        "Bo",
        "Porto",
    ]
    assert listed(PROMPT, "철수, 서울") == ["철수", "서울"]
    assert listed(PROMPT, "佐藤、名古屋") == ["佐藤", "名古屋"]
    assert listed(PROMPT, "Anna Lee, Berlin") == []
    assert listed(PROMPT, "Sorry to hear that, Anna Lee") == []


def test_an_order_is_that_of_the_prompt_or_of_the_alphabet_or_of_each_label() -> None:
    assert is_ordered(entities_of(PROMPT, "Anna Lee, Bo, Porto"))
    assert is_ordered(entities_of("Zoe met Bo and Anna", "Anna, Bo, Zoe"))
    assert is_ordered(entities_of(PROMPT, "place: Porto\nperson: Anna Lee\nperson: Bo"))
    assert not is_ordered(entities_of(PROMPT, "Porto, Anna Lee, Bo"))
    assert not is_ordered(entities_of("Bo met Zoe and Anna", "person: Zoe\nplace: Bo\nperson: Anna\nperson: Bo"))
