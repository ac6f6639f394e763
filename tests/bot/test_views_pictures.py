"""A report offers the picture of its tokens where there is one."""

from __future__ import annotations

from bot.views.datasets import dataset_card
from bot.views.pictures import picture_coming, picture_title
from tests.bot.block_limits import problems_of_message
from tests.bot.cards import LABELS, a_dataset, a_report, buttons, shown


def test_a_report_with_a_picture_offers_it() -> None:
    card = dataset_card(a_dataset("accepted", picture="ab" * 32), a_report(), model_labels=LABELS)
    assert "[Tokens]" in shown(card)
    assert buttons(card)["tokens"]["value"] == "dataset:d12"
    assert "tokens" not in buttons(dataset_card(a_dataset("accepted"), a_report(), model_labels=LABELS))


def test_the_picture_is_called_by_its_file() -> None:
    assert picture_title(a_dataset("accepted")) == "tickets.csv (d12): tokens of its examples"
    message = picture_coming(a_dataset("accepted"))
    assert problems_of_message(message) == []
    assert shown(message) == "The picture of *d12*'s tokens stands in its thread in a moment."
