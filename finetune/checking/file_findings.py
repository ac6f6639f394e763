"""The findings of a file, once all its rows have gone by: those noted of rows, and those of the file as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from finetune.checking.classes import EXAMPLES_A_CLASS, Classes
from finetune.checking.pair_findings import pair_findings
from finetune.checking.rules import file_finding, row_finding
from finetune.findings import ROWS_SHOWN, Finding, Severity
from finetune.formats.images import EXAMPLES_WITH_IMAGES_MAX
from finetune.formats.recognition import MISSING
from finetune.guidance import guidance_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from finetune.checking.question import Question
    from finetune.checking.survey import FormatSurvey, Survey
    from finetune.checking.traits import Traits
    from finetune.contract import PromptContract
    from finetune.counting.tokens import TokenCounter
    from finetune.guidance import Task
    from finetune.report import FormatName
    from finetune.shape import Shape

GOOD_EXAMPLES = 50
"""Under this many, more are advised: OpenAI's guide sees clear gains from 50 to 100 examples on."""

_ONE_PAIR = 2

FOREIGN: dict[FormatName, str] = {"alpaca": "Alpaca's (instruction, output)", "sharegpt": "ShareGPT's (conversations)"}


@dataclass(frozen=True, slots=True)
class Learnt:
    """What the examples of a file teach, and how inference must ask for it; nothing where there are none.

    `counter` counts the tokens of labels.
    """

    task: Task | None = None
    shape: Shape | None = None
    contract: PromptContract | None = None
    counter: TokenCounter | None = None


def findings_of(survey: Survey, name: FormatName | None, question: Question, learnt: Learnt) -> list[Finding]:
    """Return the findings of a file whose rows are of format `name`, in no order."""
    if name is None:
        return survey.notes.findings(survey.rows, {})
    found = survey.formats[name]
    for code in ("unknown-format", "missing-column"):
        survey.notes.move(code, found.notes, MISSING[name])
    if found.notes.count("empty-prompt") == found.examples:  # open-ended text is trained without prompts
        found.notes.drop("empty-prompt")
    if learnt.task == "open-ended":
        found.notes.drop("long-example")
    details = {"over-context": f" ({question.contexts_in_words})"}
    findings = survey.notes.findings(survey.rows, {}) + found.notes.findings(survey.rows, details)
    findings += _mixed(survey, name)
    findings += _of_keys(found, survey.rows)
    findings += _too_few(found.examples, question.min_examples, learnt.task)
    findings += _too_many_pictures(found)
    findings += _not_taken(name, question)
    findings += _of_pairs(found.traits, learnt, survey.rows, for_base=question.is_for_base)
    findings += _of_classes(found.traits, learnt, survey.rows)
    findings += _of_task(found.traits, learnt.task, survey.rows)
    for overlap in survey.overlaps:
        findings += overlap.findings(survey.rows)
    return findings


def _mixed(survey: Survey, name: FormatName) -> list[Finding]:
    others = [other for other_name, other in survey.formats.items() if other_name != name and other.rows]
    rows = sorted(row for other in others for row in other.first_rows)[:ROWS_SHOWN]
    count = sum(other.rows for other in others)
    return [row_finding("mixed-formats", tuple(rows), count, survey.rows)] if count else []


def _of_keys(found: FormatSurvey, total: int) -> Iterator[Finding]:
    keys = found.traits.keys
    repeats, originals = keys.repeats()
    if len(repeats):
        row, original = int(repeats[0]), int(originals[0])
        detail = f", row {original}" if len(repeats) == 1 else f" (row {row} repeats row {original})"
        yield row_finding("duplicate-row", tuple(repeats[:ROWS_SHOWN].tolist()), len(repeats), total, detail=detail)
    conflicts = keys.conflicts()
    if len(conflicts):
        rows = tuple(conflicts[:ROWS_SHOWN].tolist())
        detail = f" (row {rows[0]} and row {keys.conflicting(rows[0])}, for one)" if len(conflicts) > _ONE_PAIR else ""
        yield row_finding("conflicting-label", rows, len(conflicts), total, detail=detail)
    if found.traits.pairs is None:
        if keys.same_question() and len(keys.answers()[0]):
            yield file_finding("prompts-identical")
        if keys.same_answer():
            yield file_finding("completions-identical")


def _too_few(examples: int, minimum: int, task: Task | None) -> list[Finding]:
    counted = "1 example" if examples == 1 else f"{examples:,} examples"
    if 0 < examples < minimum:
        message = f"The file has {counted}; training needs {minimum} or more."
        hint = f"Add {minimum - examples}; aim for 50 to 100 good ones."
        return [Finding("too-few-examples", Severity.ERROR, (), 1, message, hint)]
    good, aim = _good_number(task)
    if not 0 < examples < good:
        return []
    name = guidance_for(task).name if task else "training"
    return [file_finding("too-few-examples", counted=counted, task=name, missing=f"{good - examples:,}", aim=aim)]


def _good_number(task: Task | None) -> tuple[int, str]:
    """Return how many examples a task wants, and what to aim for, in words; of classes, their finding says it."""
    if task == "classification":
        return GOOD_EXAMPLES, f"{EXAMPLES_A_CLASS} of each class,"
    rows = guidance_for(task).rows if task and task != "chat" else 0
    return (rows, f"{rows:,} or more") if rows else (GOOD_EXAMPLES, "50 to 100")


def _too_many_pictures(found: FormatSurvey) -> list[Finding]:
    if found.with_images <= EXAMPLES_WITH_IMAGES_MAX:
        return []
    message = f"{found.with_images:,} examples have pictures; training takes {EXAMPLES_WITH_IMAGES_MAX:,}."
    hint = "Take the pictures out of some, or delete rows."
    return [Finding("images-too-many", Severity.ERROR, (), 1, message, hint)]


def _not_taken(name: FormatName, question: Question) -> list[Finding]:
    if name in FOREIGN:
        message = f"The rows are {FOREIGN[name]}, which providers do not train on as they are."
        return [
            Finding("unknown-format", Severity.ERROR, (), 1, message, "Convert them to chat: `messages` in each row.")
        ]
    if not question.asked or any(model.takes(name) for model in question.asked):
        return []
    models = " and ".join(model.name for model in question.asked)
    wanted = "rows with `messages`" if name != "chat" else "the columns `prompt` and `completion`"
    message = f"{models} cannot learn from rows of this format ({name})."
    return [Finding("unknown-format", Severity.ERROR, (), 1, message, f"Write {wanted}, or choose another model.")]


def _of_pairs(traits: Traits, learnt: Learnt, total: int, *, for_base: bool) -> Iterator[Finding]:
    if traits.pairs is not None and learnt.shape is not None:
        yield from pair_findings(traits.pairs, learnt.shape, learnt.task, total, for_base=for_base)


def _of_classes(traits: Traits, learnt: Learnt, total: int) -> Iterator[Finding]:
    if learnt.task != "classification":
        return
    classes = Classes(traits.keys, total)
    yield from classes.findings()
    if traits.pairs is not None and learnt.counter is not None and learnt.counter.exact:
        stops = learnt.contract.stop if learnt.contract else ()
        yield from classes.many_tokens(traits.labels, "".join(stops[:1]), learnt.counter.count)


def _of_task(traits: Traits, task: Task | None, total: int) -> Iterator[Finding]:
    cues = traits.cues
    if task == "fact-lookup":
        yield file_finding("facts-not-tuning")
    if task == "extraction" and cues.unordered.count:
        yield row_finding("entity-order", tuple(cues.unordered.rows), cues.unordered.count, total)
    if cues.key_values.count:
        yield row_finding("key-value-prompt", tuple(cues.key_values.rows), cues.key_values.count, total)
