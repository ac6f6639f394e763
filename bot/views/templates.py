"""The templates: datasets to begin from, with a button each that drops the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mrkdwn import bold, code, mrkdwn, prose
from bot.views import words
from bot.views.blocks import actions, button, context, section
from bot.views.message import Message, message
from finetune.templates.shelf import LANGUAGES, TEMPLATES

if TYPE_CHECKING:
    from bot.views.message import Block
    from finetune.templates.shelf import Sample, Template

ACTION: Final = "template"
"""Every button's action begins so, and its value is the sample's name."""

FIRST: Final = "email-categories"
"""What a channel is shown first: sorting messages is what most teams have at hand, and a small model can learn it."""


def templates_list() -> Message:
    """What there is to begin from; each button drops its rows in the channel."""
    text = mrkdwn("Rows to begin from: I drop them here, checked and ready to train. Then change them to yours.")
    return message(
        text,
        section(text),
        *(block for template in TEMPLATES for block in _template(template)),
        context(mrkdwn("{command} drops one by its name.", command=code("/tune templates sentiment"))),
    )


def sample_button() -> Block:
    """The button for who has no dataset at hand: one press from a report, two from a model."""
    template = next(one for one in TEMPLATES if one.name == FIRST)
    return button("Try a sample", f"{ACTION}_{FIRST}", template.samples[0].name)


def dropped(template: Template, sample: Sample) -> Message:
    """A sample was asked for: what comes, and what to write in it."""
    text = mrkdwn("{title} comes into this channel, its rows in the thread.", title=bold(template.title))
    return message(
        text,
        section(text),
        section(
            mrkdwn(
                "*system* {system}\n*user* {user}\n*assistant* {assistant}",
                system=prose(template.system),
                user=prose(template.user),
                assistant=prose(template.assistant),
            )
        ),
        context(
            mrkdwn("Aim for {aim}", aim=prose(template.aim)),
            mrkdwn("Change {file} to your own rows and drop it again.", file=code(sample.filename)),
        ),
    )


def rows_title(filename: str) -> str:
    """The title of a file of rows that I drop."""
    return words.name(filename)


def _template(template: Template) -> tuple[Block, Block | None]:
    what = mrkdwn("{title}  {what}", title=bold(template.title), what=prose(template.what))
    return section(what), actions(*(_button(template, sample) for sample in template.samples))


def _button(template: Template, sample: Sample) -> Block:
    language = f" ({LANGUAGES[sample.language]})" if len(template.samples) > 1 else ""
    return button(f"Drop {template.title.lower()}{language}", f"{ACTION}_{sample.name}", sample.name)
