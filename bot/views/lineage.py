"""Where a model comes from, to the person who asked: data and what was mended in it, choices, prices, people, ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot.mrkdwn import EMPTY, Mrkdwn, code, date, join, mention, mrkdwn
from bot.views import words
from bot.views.blocks import actions, button, context, divider, section, sections
from bot.views.chosen import chosen_facts
from bot.views.jobs import TOY_NOTE, job_title, try_button
from bot.views.message import Message, message
from bot.views.stages import stage_sentence
from finetune.parameters import SMALLEST_MULTIPLIER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.lineage import Lineage, Version
    from bot.views.message import Block
    from jobstore.jobs import Job
    from jobstore.records import Record

ID_MAX: Final = 150
FIXES_SHOWN: Final = 12


def lineage_message(lineage: Lineage, now_ms: int) -> Message:
    """Everything that a model rests on; each part only as far as it is still kept."""
    record = lineage.job
    job = record.data
    head = mrkdwn(
        "{model}, the model of {title}: {stage}",
        model=words.model_handle(record.ref.id),
        title=job_title(record),
        stage=stage_sentence(record, now_ms),
    )
    return message(
        head,
        section(head),
        context(TOY_NOTE) if words.is_toy(job.request.model) else None,
        *_part("Data", [*_data(lineage), ("Split seed", str(job.request.seed))]),
        *_part("Choices", [*_parents(lineage), *chosen_facts(job.request), ("Auto became", _became(job))]),
        *_part("Money and people", _money(job)),
        *_part("At the provider", _ids(job)),
        divider(),
        actions(try_button(record), reproduce_button(record), delete_button(record)),
    )


def reproduce_button(record: Record[Job]) -> Block:
    """The same again: opens the form with everything as it was."""
    return button("Reproduce…", "reproduce", record.ref.member)


def delete_button(record: Record[Job]) -> Block | None:
    """Delete the model, where there is one; asked about in a form of its own."""
    if "deleting" not in record.at.to:
        return None
    return button("Delete…", "delete_model", record.ref.member, style="danger")


def _part(title: str, facts: Iterable[tuple[str, str | Mrkdwn]]) -> list[Block | None]:
    said = [mrkdwn("*{label}:* {value}", label=label, value=value) for label, value in facts if value]
    return [divider(), context(mrkdwn("{title}", title=title)), *sections(said)] if said else []


def _data(lineage: Lineage) -> list[tuple[str, str | Mrkdwn]]:
    if not lineage.versions:
        return [("Dataset", mrkdwn("{id} is no longer kept", id=words.handle(lineage.job.data.request.dataset)))]
    found: list[tuple[str, str | Mrkdwn]] = [(_label(version), _version(version)) for version in lineage.versions]
    if lineage.validation is not None:
        data = lineage.validation.data
        file = mrkdwn("{id} {file}", id=lineage.validation.ref.id, file=words.name(data.filename))
        found.append(("Measured by", mrkdwn("{file} {sha}", file=file, sha=code(data.sha256))))
    return found


def _label(version: Version) -> str:
    made = version.dataset.data.made
    return f"Version {words.name(made.number)}" if made else "File"


def _version(version: Version) -> Mrkdwn:
    data = version.dataset.data
    parts = [
        mrkdwn("{id} {file}", id=version.dataset.ref.id, file=words.name(data.filename)),
        code(data.sha256),
        _made_by(version.recipe),
        mention(data.person),
    ]
    return join(" · ", parts)


def _made_by(recipe: dict[str, Any] | None) -> Mrkdwn:
    """What was done to the version before: fixes, a conversion, or which part of a split it is."""
    if not recipe:
        return EMPTY
    mended: list[Any] = recipe.get("fixes") or []
    fixes = [words.name(str(one)) for one in mended[:FIXES_SHOWN]]
    conversion: Any = recipe.get("conversion")
    said = [
        mrkdwn("fixed {fixes}", fixes=", ".join(fixes)) if fixes else EMPTY,
        mrkdwn("converted to {target}", target=words.name(str(conversion.get("target")))) if conversion else EMPTY,
        mrkdwn("split by seed {seed}, part {part}", seed=str(recipe["seed"]), part=words.name(str(recipe.get("part"))))
        if "seed" in recipe
        else EMPTY,
    ]
    return join(", ", said)


def _parents(lineage: Lineage) -> list[tuple[str, str | Mrkdwn]]:
    chain = [mrkdwn("{model}", model=words.model_handle(parent.ref.id)) for parent in lineage.parents]
    return [("Comes from", join(" ← ", chain))] if chain else []


def _became(job: Job) -> str:
    """What the provider made of what was left to it, where it told."""
    request, rate = job.request, job.trained_rate
    chosen = request.learning_rate_multiplier or request.learning_rate
    sign = "x" if rate and rate >= SMALLEST_MULTIPLIER else ""
    epochs = words.plural(job.trained_epochs, "epoch") if job.trained_epochs and request.epochs is None else ""
    return ", ".join(filter(None, [epochs, f"learning rate {sign}{rate:g}" if rate and not chosen else ""]))


def _money(job: Job) -> list[tuple[str, str | Mrkdwn]]:
    quote = job.request.quote
    confirmed = mrkdwn("{who}, {at}", who=mention(job.person), at=date(job.confirmed_ms)) if job.confirmed_ms else EMPTY
    as_of = f", prices of {words.name(quote.prices_as_of)}" if quote.prices_as_of else ""
    return [
        ("Quoted", f"{words.price(quote.low_usd, quote.high_usd)}{as_of}"),
        ("Cost", "" if job.cost_usd is None else words.money(job.cost_usd)),
        ("Hosting so far", words.money(job.hosted_micros / 1_000_000) if job.hosted_micros else ""),
        ("Tokens trained", f"{job.trained_tokens:,}" if job.trained_tokens else ""),
        ("Asked and confirmed by", confirmed or mention(job.person)),
        ("Request", code(job.digest)),
    ]


def _ids(job: Job) -> list[tuple[str, str | Mrkdwn]]:
    ids = [("Model", job.model), ("Run", job.run), ("Training file", job.train_file), ("Results", job.result_file)]
    checkpoints = [("Checkpoint", point.name) for point in job.checkpoints]
    given = [*ids, ("Validation file", job.valid_file), *checkpoints]
    return [(label, code(value).clipped(ID_MAX)) for label, value in given if value]


def deleted_post(record: Record[Job]) -> Message:
    """A model was deleted, at somebody's wish."""
    text = mrkdwn(
        "{model}, the model of {title}, is deleted at the provider, its checkpoints with it.",
        model=words.model_handle(record.ref.id),
        title=job_title(record),
    )
    again = mrkdwn("{command} trains the same again.", command=code(f"/tune reproduce {record.ref.id}"))
    return message(text, section(text), context(again))
