"""The one-line form: what is typed, by whatever keyboard, is cut up right or refused in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import intake
from bot.grammar import KEYS, Line, parse_line
from finetune.errors import UserError


def refused(text: str) -> UserError:
    with pytest.raises(UserError) as refusal:
        parse_line(text)
    return refusal.value


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", Line("", {})),
        ("d12", Line("d12", {})),
        ("epochs=3", Line("", {"epochs": "3"})),
        ("d12 model=gpt-4.1-mini epochs=3", Line("d12", {"model": "gpt-4.1-mini", "epochs": "3"})),
        ("d12  EPOCHS = 3  lr= x0.5", Line("d12", {"epochs": "3", "lr": "x0.5"})),
        ('d12 suffix="my model" seed=7', Line("d12", {"suffix": "my model", "seed": "7"})),
        ("d12 wandb=support/tickets #first #second beta=0.1", Line("d12", {"wandb": "support/tickets #first #second",
                                                                           "beta": "0.1"})),
        ("d12 suffix='epochs=3 is inside' epochs=2", Line("d12", {"suffix": "epochs=3 is inside", "epochs": "2"})),
        ("d12 epochs=3 --please", Line("d12", {"epochs": "3"})),
        ("d12 --please", Line("d12", {})),
        ('d12 grader={"type":"string_check","name":"a=b"}', Line("d12", {"grader":
                                                                        '{"type":"string_check","name":"a=b"}'})),
    ],
)  # fmt: skip
def test_line_is_cut_into_its_object_and_its_values(text: str, line: Line) -> None:
    assert parse_line(text) == line


def test_smart_quotes_and_wide_characters_are_taken_as_they_are_meant() -> None:
    typed = "train\u3000d12\u3000suffix＝“my bot”\u3000lr＝‘x0.5’"  # noqa: RUF001
    body = {"team_id": "T1", "channel_id": "C1", "user_id": "U1", "text": typed}
    assert parse_line(intake.command(body).rest) == Line("d12", {"suffix": "my bot", "lr": "x0.5"})


def test_key_that_does_not_exist_is_refused_with_the_nearest() -> None:
    error = refused("d12 epoch=3")
    assert (error.code, error.hint) == ("key-unknown", "Did you mean epochs=?")
    assert "model" in refused("d12 zzz=3").hint


def test_key_given_twice_or_given_nothing_is_refused() -> None:
    assert refused("epochs=3 epochs=4").code == "key-twice"
    assert refused("d12 epochs= lr=x1").message == "epochs= is given nothing."


values = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\"'=\0-"), min_size=1).filter(
    lambda text: text.strip() == text and text
)


@given(st.dictionaries(st.sampled_from(sorted(KEYS)), values))
def test_what_is_written_out_is_read_back(given_values: dict[str, str]) -> None:
    text = " ".join(["d12", *(f'{key}="{value}"' for key, value in given_values.items())])
    assert parse_line(text) == Line("d12", given_values)


@given(st.text())
def test_anything_typed_is_cut_up_or_refused(text: str) -> None:
    try:
        line = parse_line(text)
    except UserError:
        assert refused(text).hint
    else:
        assert set(line.values) <= set(KEYS)
        assert all(line.values.values())
