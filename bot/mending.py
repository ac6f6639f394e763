"""Asking for a new version of a dataset: its recipe, recorded once; a worker makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from bot.rendering import report_of
from finetune.conversion.columns import PARTS, Part, column_named, guess
from finetune.conversion.conversion import TARGETS, Conversion, Target, conversion_of, offered
from finetune.errors import UserError
from finetune.mending import Recipe, conversion_recipe, recipe_of
from jobstore.records import Dataset, Made, Ref
from jobstore.states import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.desk import Desk
    from finetune.permissions import Person
    from finetune.report import Report
    from finetune.splitting.division import Division
    from jobstore.records import Record

SYSTEM_MAX_CHARACTERS = 20_000
MAY_GO_BETTER = frozenset({"internal", "bytes-gone"})
"""Refusals of a version that may not be repeated when it is asked for again."""


def checked(desk: Desk, dataset: Record[Dataset]) -> Report:
    """Return the report of a dataset that can be mended; UserError where there is none."""
    report = report_of(desk, dataset)
    if report is None or not dataset.at.is_final:
        raise UserError(
            "not-checked", f"{dataset.ref.id} is not checked yet, or could not be read.", "Its card says how it stands."
        )
    return report


def fixing(report: Report, codes: tuple[str, ...]) -> Recipe:
    """Return the recipe that mends some findings; UserError where there are none of them."""
    found = {finding.code for finding in report.findings}
    wanted = tuple(code for code in codes if code in found)
    if not wanted:
        raise UserError(
            "nothing-to-fix", "There is nothing here that I can mend safely.", "The report says what to mend by hand."
        )
    return recipe_of(report, wanted)


def converting(report: Report, target: str, system: str = "") -> Recipe:
    """Return the recipe that converts the rows; UserError says what they can become."""
    insist_on_length(system)
    try:
        return conversion_recipe(conversion_of(report, cast("Target", target), system.strip()))
    except KeyError as error:
        known = ", ".join(f"to={one}" for one in offered(report))
        hint = f"They can become {known}." if known else "Mend the rows that cannot be read first, or map the columns."
        what = f"{report.format} rows" if report.format else "These rows"
        message = f"{what} cannot become {target}." if target in TARGETS else f"I know no format {target}."
        raise UserError("not-convertible", message, hint) from error


def mapping(report: Report, columns: Mapping[str, str], target: str = "", system: str = "") -> Recipe:
    """Return the recipe that maps columns, given by part; UserError where one does not exist, or none is the answer."""
    insist_on_length(system)
    found: dict[Part, str] = {}
    for part, column in columns.items():
        if part in PARTS and column:
            found[part] = _column(report, column)
    if not found.keys() & {"prompt", "context"} or "completion" not in found:
        raise UserError("mapping-incomplete", "One column must be what is asked, and one the answer.", "Choose both.")
    if len({*found.values()}) < len(found):
        raise UserError("mapping-twice", "One column cannot be two things.", "Choose another one.")
    if target not in {"", "chat", "prompt-completion"}:
        raise UserError(
            "not-convertible", f"Mapped columns cannot become {target}.", "to=chat or to=prompt-completion."
        )
    written = cast("Target", target or "chat")
    return Recipe(conversion=Conversion(source=None, target=written, mapping=found, system=system.strip()))


def guessed(report: Report) -> dict[Part, str]:
    """Return which column seems to be what; UserError where there are no columns to choose from."""
    if not report.columns:
        raise UserError("no-columns", "The rows have no columns that I could read.", "The report says what is wrong.")
    return guess(report.columns)


def make_version(
    desk: Desk, dataset: Record[Dataset], person: Person, recipe: Recipe | Division, *, part: str = ""
) -> tuple[Ref, bool]:
    """Record that a version is to be made, and ring for it; return it, and whether it is new.

    The same recipe for the same dataset is the same version, however often it is asked for; one that could not be made
    is tried anew.
    """
    team, data = dataset.ref.team, dataset.data
    stored, _ = desk.blobs.put(team, [recipe.as_json()])
    made = Made(
        parent=dataset.ref.id,
        original=data.made.original if data.made else dataset.ref.id,
        number="$NUMBER",
        source=data.sha256,
        source_name=data.filename,
        recipe=stored,
        part=part,
    )
    version = Dataset(
        channel=data.channel,
        person=person.id,
        message_ts=data.message_ts or desk.outbox.ts(team, f"card:{dataset.ref.member}"),
        file_id=data.file_id,
        filename=data.filename,
        made=made,
    )
    event = {"type": "VersionAsked", "person": person.id, "parent": dataset.ref.id, "number": "$NUMBER"}
    audit = {"act": "mend", "person": person.id, "digest": stored, "on": "dataset:$ID"}
    once = f"version:{dataset.ref.id}:{stored}"
    ref, is_new = desk.store.record(team, version, dedupe=once, event=event, audit=audit)
    while not is_new and _failed(desk, ref):
        ref, is_new = desk.store.record(team, version, dedupe=f"{once}:after:{ref.id}", event=event, audit=audit)
    if is_new:
        desk.doorbell.ring(ref)
    return ref, is_new


def insist_on_length(system: str) -> None:
    """Raise the UserError that says to shorten a system message: it is repeated in every row."""
    if len(system) > SYSTEM_MAX_CHARACTERS:
        raise UserError("system-too-long", "The system message is longer than 20,000 characters.", "Shorten it.")


def _column(report: Report, named: str) -> str:
    found = column_named(report.columns, named)
    if found is None:
        known = ", ".join(report.columns[:10])
        raise UserError("column-unknown", f"There is no column {named[:80]}.", f"There are {known}.")
    return found


def _failed(desk: Desk, ref: Ref) -> bool:
    version = desk.store.get(Ref(ref.team, Kind.DATASET, ref.id))
    refusal = version.data.refusal if version else None
    return refusal is not None and refusal.code in MAY_GO_BETTER
