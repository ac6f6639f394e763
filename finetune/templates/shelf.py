"""The ready templates: what each teaches, what to write in each message, what to aim for, and its sample rows."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from finetune.errors import UserError

if TYPE_CHECKING:
    from finetune.guidance import Task

SAMPLES: Final = Path(__file__).with_name("samples")
LANGUAGES: Final = {"en": "English", "ko": "한국어", "ja": "日本語"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One file of rows: `name` is what it is asked for by, `language` a key of `LANGUAGES`."""

    name: str
    language: str

    @property
    def filename(self) -> str:
        """The name it is dropped or written under."""
        return f"{self.name}.jsonl"

    def content(self) -> bytes:
        """Return the rows, as JSONL."""
        return (SAMPLES / self.filename).read_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One kind of work.

    `what` says in a sentence what the model learns; `system`, `user` and `assistant` what to write in each message,
    `aim` what makes the rows good. `others` are the languages of its samples besides English.
    """

    name: str
    title: str
    task: Task
    what: str
    system: str
    user: str
    assistant: str
    aim: str
    others: tuple[str, ...] = ()

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The sample in English, called like the template, and those in other languages."""
        translated = (Sample(name=f"{self.name}-{language}", language=language) for language in self.others)
        return (Sample(name=self.name, language="en"), *translated)


TEMPLATES: Final = (
    Template(
        name="ad-truthfulness",
        title="Ad truthfulness",
        task="classification",
        what="Says whether an advert claims only what is true of the product.",
        system="The question, the same in every row.",
        user="What is known of the product, then the advert.",
        assistant="`yes` or `no`, nothing else.",
        aim="100 rows or more of each answer; adverts that are nearly true teach the most.",
    ),
    Template(
        name="sentiment",
        title="Sentiment",
        task="classification",
        what="Says whether a text is positive, negative or neutral.",
        system="The question, with the labels to choose from.",
        user="The text as people write it, mistakes and all.",
        assistant="One label: `positive`, `negative` or `neutral`.",
        aim="100 rows or more of each label, about as many of one as of another; irony too, if you get any.",
        others=("ko",),
    ),
    Template(
        name="email-categories",
        title="E-mail categories",
        task="classification",
        what="Sorts incoming e-mail by the team that answers it.",
        system="The question, with the categories to choose from.",
        user="Subject and text of the e-mail, without names and addresses.",
        assistant="One category, always spelt the same; one word each is best.",
        aim="100 rows or more of each category. Of many, make each a number, and keep the list of what they mean.",
        others=("ja",),
    ),
    Template(
        name="article-adverts",
        title="Adverts from an article",
        task="conditional-generation",
        what="Writes a short advert for what an article is about.",
        system="How the advert should be: length, tone, what it may use.",
        user="The article.",
        assistant="The advert, with no claim that the article does not make.",
        aim="500 rows or more in your own tone; 1 or 2 epochs, so that it does not learn the adverts by heart.",
    ),
    Template(
        name="entity-extraction",
        title="Entity extraction",
        task="extraction",
        what="Lists the people, places and organisations that a text names.",
        system="What to list, and in which form.",
        user="The text.",
        assistant="One entity a line as `kind: name`, in the order of the text; `none` where there is none.",
        aim="500 rows or more; the same order and form everywhere, and rows without any entity.",
    ),
    Template(
        name="support-conversations",
        title="Support conversations",
        task="chat",
        what="Answers customers in your voice, asks when something is missing, and says the next step.",
        system="Who answers, and how.",
        user="What the customer writes, turn by turn.",
        assistant="What your best agent answers. Every answer is learnt: put `weight` 0 on those that should not be.",
        aim="Some hundred conversations, short ones too; no prices and opening hours, which change.",
        others=("ja",),
    ),
    Template(
        name="product-descriptions",
        title="Product descriptions",
        task="conditional-generation",
        what="Writes a description from a product's properties.",
        system="Length and tone, and that nothing may be invented.",
        user="The properties as plain sentences rather than `colour=red`.",
        assistant="The description, with those properties only.",
        aim="500 rows or more; leave a property out here and there, so that it learns not to make one up.",
    ),
    Template(
        name="question-answering",
        title="Question answering",
        task="conditional-generation",
        what="Answers a question from a text, and says so when the text has no answer.",
        system="To answer from the text alone, and the words for when it does not say.",
        user="The text, then the question.",
        assistant="The answer, or those words exactly.",
        aim="500 rows or more, a third to a half of them without an answer: they teach it not to guess.",
    ),
)
"""In the order in which they are shown."""


def find_sample(name: str) -> tuple[Template, Sample]:
    """Return the template and the sample that `name` means ("sentiment", "sentiment-ko"); UserError for another."""
    found = {sample.name: (template, sample) for template in TEMPLATES for sample in template.samples}
    wanted = name.strip().lower().removesuffix(".jsonl").replace(" ", "-").replace("_", "-")
    if wanted not in found:
        close = difflib.get_close_matches(wanted, found, n=1)
        hint = f"Did you mean {close[0]}?" if close else f"There are {', '.join(found)}."
        raise UserError("template-unknown", "There is no template of that name.", hint)
    return found[wanted]
