"""Guidance by task: how many rows to aim for, how to write them, and how to train on them.

From OpenAI's fine-tuning guides (of classification, conditional generation and the rest), as far as it still holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

from finetune.catalogue import default_epochs
from finetune.errors import UserError

if TYPE_CHECKING:
    from finetune.report import Report

Task = Literal["classification", "conditional-generation", "open-ended", "chat", "extraction", "fact-lookup"]

TASKS: Final[tuple[Task, ...]] = get_args(Task)
_BY_NAME: Final[dict[str, Task]] = {task: task for task in TASKS}

FEW_EPOCHS: Final = 2
"""A model that is to write learns its rows by heart when it goes over them more often."""

LOW_RATE: Final = 0.5
"""Of the provider's usual rate: the guides want it lower for writing than for sorting."""

MANY_LABELS: Final = 20
"""From here on names are a lot to keep one token each and apart from one another; numbers are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance:
    """What to aim for in one kind of work.

    `rows` is how many examples to aim for, of each class where `a_class`. `epochs_max` and `rate` (a multiplier of the
    usual learning rate) are what to train with at most, None where the provider's own choice is good. `write` says
    how to write the rows, in a chat and, if that differs, in prompts and completions.
    """

    task: Task
    name: str
    rows: int
    a_class: bool = False
    epochs_max: int | None = None
    rate: float | None = None
    write: str
    write_pairs: str = ""

    def epochs(self, examples: int) -> int:
        """Return how often to go over `examples`: as the provider would, but no more than is good for the task."""
        usual = default_epochs(examples)
        return usual if self.epochs_max is None else min(usual, self.epochs_max)


_GUIDANCE: Final = (
    Guidance(
        task="classification",
        name="classification",
        rows=100,
        a_class=True,
        write="Answer with the label alone, one token long, always spelt the same.",
        write_pairs="End every prompt with the same separator; begin every label with a space, one token long.",
    ),
    Guidance(
        task="conditional-generation",
        name="writing from a text",
        rows=500,
        epochs_max=FEW_EPOCHS,
        rate=LOW_RATE,
        write="Let every answer follow from what is asked; leave out what it does not say.",
        write_pairs="End every prompt with the same separator, every completion with the same ending.",
    ),
    Guidance(
        task="open-ended",
        name="open-ended writing",
        rows=500,
        epochs_max=FEW_EPOCHS,
        rate=LOW_RATE,
        write="Leave the prompts empty, and give it whole texts.",
    ),
    Guidance(
        task="chat",
        name="conversation",
        rows=100,
        write="Begin every conversation with the system message that you will use; `weight` 0 skips a bad answer.",
    ),
    Guidance(
        task="extraction",
        name="extraction",
        rows=500,
        epochs_max=FEW_EPOCHS,
        rate=LOW_RATE,
        write="List entities in one form, in the order of the text, and show rows that have none.",
        write_pairs="End every prompt with the same separator; list entities one a line, in the order of the text.",
    ),
    Guidance(
        task="fact-lookup",
        name="facts to be remembered",
        rows=0,
        write="Tuning is not a database: it teaches how to answer, and facts come back changed. Give the facts with the"
        " question instead.",
    ),
)


_SAY_HOW_MANY: Final = frozenset({"too-few-examples", "class-too-small"})
"""Where one of these findings is, the number to aim for was said already."""


def guidance_for(task: Task) -> Guidance:
    """Return the guidance for a task."""
    return next(one for one in _GUIDANCE if one.task == task)


def parse_task(text: str) -> Task:
    """Return the task that somebody named; UserError for another."""
    wanted = text.strip().lower().replace("_", "-").replace(" ", "-")
    found = _BY_NAME.get(wanted)
    if found is None:
        raise UserError("task-unknown", "There is no task of that name.", f"It is one of {', '.join(TASKS)}.")
    return found


def advice(report: Report, task: Task | None = None) -> tuple[str, ...]:
    """Return one sentence or two to a person who has read a report: what the rows seem to teach, what to aim for.

    `task` is what they teach, if the report guessed wrongly. Nothing of the rows is in the sentences. () where the
    report knows no task, or there is nothing to train on.
    """
    meant = task or _BY_NAME.get(report.task or "")
    if meant is None or not report.examples:
        return ()
    guidance = guidance_for(meant)
    seems = "This is" if task else "This looks like"
    sentences = [
        f"{seems} {guidance.name}{_classes(guidance, report)}{_aim(guidance, report)}.",
        _how(guidance, report),
    ]
    return tuple(sentence for sentence in sentences if sentence)


def _classes(guidance: Guidance, report: Report) -> str:
    labels = report.contract.labels if report.contract else ()
    return f" into {len(labels)} labels" if guidance.a_class and len(labels) > 1 else ""


def _aim(guidance: Guidance, report: Report) -> str:
    labels = report.contract.labels if report.contract else ()
    if not guidance.rows or any(finding.code in _SAY_HOW_MANY for finding in report.findings):
        return ""
    if guidance.a_class:
        fewest = min((label.rows for label in labels), default=0)
        have = f"; the smallest has {fewest}" if 0 < fewest < guidance.rows else ""
        return f": aim for {guidance.rows} rows of each or more{have}"
    return f": aim for {guidance.rows} rows or more" if report.examples < guidance.rows else ""


def _how(guidance: Guidance, report: Report) -> str:
    written = guidance.write_pairs if report.format == "prompt-completion" and guidance.write_pairs else guidance.write
    return " ".join(part for part in (_label_map(guidance, report) or written, _training(guidance, report)) if part)


def _label_map(guidance: Guidance, report: Report) -> str:
    """Return what to do about labels that are many, or of several tokens, in place of the general words."""
    labels = report.contract.labels if report.contract and guidance.a_class else ()
    long = sum(label.tokens > 1 for label in labels)
    if len(labels) >= MANY_LABELS and long:
        return f"{long} of {len(labels)} labels are longer than a token: make each a number, and keep a list of them."
    if long:
        verb = "label is" if long == 1 else "labels are"
        return f"{long} {verb} longer than a token: a shorter word, or a number, is surer and shows probabilities."
    return ""


def _training(guidance: Guidance, report: Report) -> str:
    if guidance.epochs_max is None:
        return ""
    epochs = guidance.epochs(report.examples)
    often = "1 epoch" if epochs == 1 else f"1 to {epochs} epochs"
    return f"Train {often} at a low rate (x{guidance.rate:g})."
