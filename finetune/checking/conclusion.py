"""From what was seen of a file to the report: which findings hold for it as a whole, tokens and prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.catalogue import ESTIMATE_MARGIN, default_epochs
from finetune.checking.file_findings import Learnt, findings_of
from finetune.checking.notes import by_severity
from finetune.checking.tasks import infer_task
from finetune.counting.profile import TokenProfile, bars
from finetune.findings import Finding, Severity
from finetune.launch import METHOD_OF_FORMAT
from finetune.report import PriceRange, Report, Tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from finetune.checking.question import Question
    from finetune.checking.survey import FormatSurvey, Survey
    from finetune.containers.refusal import Refusal
    from finetune.containers.rows import Rows
    from finetune.counting.tokens import TokenCounter
    from finetune.report import FormatName

ROUGH_MARGIN = 0.35
"""How far a price may be off, either way, where no ranks are at hand and tokens are estimated from characters."""


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
    learnt = _learnt(name, found, question, counters[0]) if name and found and found.examples else Learnt()
    findings = findings_of(survey, name, question, learnt)
    if rows.refusal is not None:
        findings.append(_whole_file(rows.refusal))
    margin = _margin(found, counters)
    estimated = margin > 0 or (bool(question.asked) and not any(model.exact_tokens for model in question.asked))
    examples = found.examples if found else 0
    tokens = found.lengths[counters[0].encoding].summary() if found else Tokens()
    return Report(
        format=name,
        rows=survey.rows,
        examples=examples,
        tokens=tokens,
        profile=_profile(found, tokens, question, counters[0]) if found and examples else None,
        epochs=default_epochs(examples),
        price_usd=_prices(name, found, question, margin) if name and found and examples else {},
        findings=by_severity(findings),
        contract=learnt.contract,
        shape=learnt.shape,
        task=learnt.task,
        counted_with="estimate" if estimated and examples else counters[0].counted_with,
        encoding=rows.encoding,
        prices_as_of=question.catalogue.as_of.isoformat(),
        container=rows.container.name,
        doubts=tuple(rows.doubts),
    )


def _learnt(name: FormatName, found: FormatSurvey, question: Question, counter: TokenCounter) -> Learnt:
    contract, shape = found.learner.contract(counter), found.traits.shape()
    task = question.task or infer_task(name, found.examples, found.traits, shape)
    return Learnt(task, shape, contract, counter)


def _profile(found: FormatSurvey, tokens: Tokens, question: Question, counter: TokenCounter) -> TokenProfile:
    edges, counts = bars(found.lengths[counter.encoding].counts, tokens.p95)
    return TokenProfile(
        edges=edges,
        counts=counts,
        longest=found.longest.rows(),
        replies=found.replies,
        trained=found.trained,
        cut=found.notes.count("over-context"),
        context=min((model.context for model in question.asked), default=0),
    )


def _whole_file(refusal: Refusal) -> Finding:
    return Finding(refusal.code, Severity.ERROR, (), 1, refusal.message, refusal.hint)


def _margin(found: FormatSurvey | None, counters: Sequence[TokenCounter]) -> float:
    """Return the share by which tokens may be off: for estimated texts, or tools and pictures, which have no rule."""
    if not all(counter.exact for counter in counters):
        return ROUGH_MARGIN
    return 0.0 if found is None or found.counted_exactly else ESTIMATE_MARGIN


def _prices(name: FormatName, found: FormatSurvey, question: Question, margin: float) -> dict[str, PriceRange]:
    epochs, method = default_epochs(found.examples), METHOD_OF_FORMAT.get(name, "supervised")
    prices: dict[str, PriceRange] = {}
    for model in question.priced:
        tokens = found.lengths[model.encoding].capped(model.context)
        if not model.takes(name):
            continue
        price = question.catalogue.price(model.name, tokens, epochs, method=method, margin=margin)
        if price is not None:
            prices[model.name] = price
    return prices
