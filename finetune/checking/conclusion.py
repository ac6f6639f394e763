"""From what was seen of a file to the report: which findings hold for it as a whole, tokens and prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from finetune.catalogue import ESTIMATE_MARGIN, Catalogue, Model, default_epochs
from finetune.checking.notes import by_severity
from finetune.checking.rules import row_finding
from finetune.errors import UserError
from finetune.findings import ROWS_SHOWN, Finding, Severity
from finetune.formats.images import EXAMPLES_WITH_IMAGES_MAX
from finetune.formats.recognition import MISSING
from finetune.report import PriceRange, Report, Tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from finetune.checking.survey import FormatSurvey, Survey
    from finetune.containers.refusal import Refusal
    from finetune.containers.rows import Rows
    from finetune.counting.tokens import EncodingName, TokenCounter
    from finetune.report import FormatName

GOOD_EXAMPLES = 50
"""Under this many, more are advised: OpenAI's guide sees clear gains from 50 to 100 examples on."""

FOREIGN: dict[FormatName, str] = {"alpaca": "Alpaca's (instruction, output)", "sharegpt": "ShareGPT's (conversations)"}

ROUGH_MARGIN = 0.35
"""How far a price may be off, either way, where no ranks are at hand and tokens are estimated from characters."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a check is asked: the models the data is `asked` for, those to be `priced`, and the fewest examples."""

    catalogue: Catalogue
    asked: tuple[Model, ...]
    priced: tuple[Model, ...]
    min_examples: int

    @classmethod
    def ask(cls, models: Sequence[str], catalogue: Catalogue, min_examples: int) -> Question:
        """Return the question; UserError where the catalogue does not know a model."""
        asked = tuple(_known(name, catalogue) for name in models)
        on_offer = tuple(model for model in catalogue.on_offer() if "supervised" in model.methods)
        return cls(catalogue, asked, asked or on_offer, min_examples)

    @property
    def encodings(self) -> tuple[EncodingName, ...]:
        """Return the tokenizers needed, the one that the report shows first."""
        first: tuple[EncodingName, ...] = () if self.asked else ("o200k_base",)
        return tuple(dict.fromkeys([*first, *(model.encoding for model in self.priced)]))

    @property
    def contexts(self) -> dict[str, int]:
        """Return, by encoding, the shortest context of the models asked about."""
        shortest: dict[str, int] = {}
        for model in self.asked:
            shortest[model.encoding] = min(model.context, shortest.get(model.encoding, model.context))
        return shortest


def refused(refusal: Refusal, rows: Rows, question: Question, counter: TokenCounter) -> Report:
    """Return the report of a file of which no row could be read."""
    finding = _whole_file(refusal)
    return Report(
        format=None,
        rows=0,
        examples=0,
        tokens=Tokens(),
        epochs=0,
        price_usd={},
        findings=(finding,),
        counted_with=counter.counted_with,
        encoding=rows.encoding,
        prices_as_of=question.catalogue.as_of.isoformat(),
        container=rows.container.name,
        doubts=tuple(rows.doubts),
    )


def conclude(survey: Survey, rows: Rows, question: Question, counters: Sequence[TokenCounter]) -> Report:
    """Return the report of a file whose `rows` were read, though perhaps not to its end."""
    name = survey.winner()
    found = survey.formats[name] if name else None
    findings = _findings(survey, name, question)
    if rows.refusal is not None:
        findings.append(_whole_file(rows.refusal))
    margin = _margin(found, counters)
    estimated = margin > 0 or (bool(question.asked) and not any(model.exact_tokens for model in question.asked))
    examples = found.examples if found else 0
    return Report(
        format=name,
        rows=survey.rows,
        examples=examples,
        tokens=found.lengths[counters[0].encoding].summary() if found else Tokens(),
        epochs=default_epochs(examples),
        price_usd=_prices(name, found, question, margin) if name and found and examples else {},
        findings=by_severity(findings),
        contract=found.learner.contract(counters[0]) if found and examples else None,
        shape=found.shape() if found and examples else None,
        counted_with="estimate" if estimated and examples else counters[0].counted_with,
        encoding=rows.encoding,
        prices_as_of=question.catalogue.as_of.isoformat(),
        container=rows.container.name,
        doubts=tuple(rows.doubts),
    )


def _findings(survey: Survey, name: FormatName | None, question: Question) -> list[Finding]:
    if name is None:
        return survey.notes.findings(survey.rows, {})
    found = survey.formats[name]
    for code in ("unknown-format", "missing-column"):
        survey.notes.move(code, found.notes, MISSING[name])
    if found.notes.count("empty-prompt") == found.examples:  # open-ended text is trained without prompts
        found.notes.drop("empty-prompt")
    details = {"over-context": f" ({_contexts_in_words(question)})"}
    findings = survey.notes.findings(survey.rows, {}) + found.notes.findings(survey.rows, details)
    findings += _mixed(survey, name)
    findings += _duplicates(found, survey.rows)
    findings += _too_few(found.examples, question.min_examples)
    findings += _too_many_pictures(found)
    findings += _not_taken(name, question)
    return findings


def _mixed(survey: Survey, name: FormatName) -> list[Finding]:
    others = [other for other_name, other in survey.formats.items() if other_name != name and other.rows]
    rows = sorted(row for other in others for row in other.first_rows)[:ROWS_SHOWN]
    count = sum(other.rows for other in others)
    return [row_finding("mixed-formats", tuple(rows), count, survey.rows)] if count else []


def _duplicates(found: FormatSurvey, total: int) -> list[Finding]:
    repeats, originals = found.keys.repeats()
    if not len(repeats):
        return []
    row, original = int(repeats[0]), int(originals[0])
    detail = f", row {original}" if len(repeats) == 1 else f" (row {row} repeats row {original})"
    rows = tuple(repeats[:ROWS_SHOWN].tolist())
    return [row_finding("duplicate-row", rows, len(repeats), total, detail=detail)]


def _too_few(examples: int, minimum: int) -> list[Finding]:
    if examples == 0 or examples >= max(minimum, GOOD_EXAMPLES):
        return []
    counted = "1 example" if examples == 1 else f"{examples} examples"
    if examples < minimum:
        message = f"The file has {counted}; training needs {minimum} or more."
        hint = f"Add {minimum - examples}; aim for 50 to 100 good ones."
        return [Finding("too-few-examples", Severity.ERROR, (), 1, message, hint)]
    message = f"The file has {counted}, which is few."
    hint = f"Add {GOOD_EXAMPLES - examples}; aim for 50 to 100 good ones."
    return [Finding("too-few-examples", Severity.ADVICE, (), 1, message, hint)]


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


def _whole_file(refusal: Refusal) -> Finding:
    return Finding(refusal.code, Severity.ERROR, (), 1, refusal.message, refusal.hint)


def _margin(found: FormatSurvey | None, counters: Sequence[TokenCounter]) -> float:
    """Return the share by which tokens may be off: for estimated texts, or tools and pictures, which have no rule."""
    if not all(counter.exact for counter in counters):
        return ROUGH_MARGIN
    return 0.0 if found is None or found.counted_exactly else ESTIMATE_MARGIN


def _prices(name: FormatName, found: FormatSurvey, question: Question, margin: float) -> dict[str, PriceRange]:
    epochs = default_epochs(found.examples)
    prices: dict[str, PriceRange] = {}
    for model in question.priced:
        tokens = found.lengths[model.encoding].capped(model.context)
        price = question.catalogue.price(model.name, tokens, epochs, margin=margin) if model.takes(name) else None
        if price is not None:
            prices[model.name] = price
    return prices


def _known(name: str, catalogue: Catalogue) -> Model:
    model = catalogue.get(name)
    if model is None:
        known = ", ".join(model.name for model in catalogue.on_offer())
        raise UserError("unknown-model", "The price table has no model of that name.", f"It has {known}.")
    return model


def _contexts_in_words(question: Question) -> str:
    shortest = min(question.asked, key=lambda model: model.context, default=None)
    return f"{shortest.name} reads {shortest.context:,} tokens" if shortest else ""
