"""The templates are offered in words that fit, with a button for each of their samples."""

from __future__ import annotations

import pytest

from bot.views.templates import dropped, templates_list
from finetune.templates.shelf import TEMPLATES, Sample, Template
from tests.bot.block_limits import problems_of_message
from tests.bot.cards import buttons, shown

SAMPLES = [(template, sample) for template in TEMPLATES for sample in template.samples]


def test_the_list_has_a_line_and_a_button_for_each() -> None:
    message = templates_list()
    assert problems_of_message(message) == []
    said = shown(message)
    assert all(template.title in said and template.what in said for template in TEMPLATES)
    assert [button["value"] for button in buttons(message).values()] == [sample.name for _, sample in SAMPLES]


@pytest.mark.parametrize(("template", "sample"), SAMPLES, ids=[sample.name for _, sample in SAMPLES])
def test_what_is_dropped_says_what_to_write_where(template: Template, sample: Sample) -> None:
    message = dropped(template, sample)
    assert problems_of_message(message) == []
    said = shown(message)
    assert template.title in said
    assert all(word in said for word in ("*system*", "*user*", "*assistant*", "Aim for", f"`{sample.filename}`"))
