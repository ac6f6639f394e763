"""The launch form for some values: with the price for exactly them, or with what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot import views
from bot.choosing import SPLIT, TWO_CLASSES
from bot.hosting import host_price
from bot.last_days import ending_of
from bot.launching import Memo, held_micros, launch_of, reserved_micros
from bot.said import FieldError
from bot.views import words
from bot.views.launching import FOLDED, LaunchForm
from finetune.errors import UserError
from finetune.launch import METHOD_OF_FORMAT
from jobstore.money import MICROS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.launching import Launch
    from bot.offer import Offer, Start
    from bot.views.message import Block
    from finetune.catalogue import Service
    from jobstore.records import Dataset, Record

LABEL_MAX: Final = 60
FEW_ROWS: Final = 500
KEPT_CHARACTERS: Final = 210


def launch_view(offer: Offer, values: Mapping[str, str], *, folded: bool = True, notice: str = "") -> Block:
    """Return the modal for some values, whatever they are worth: what is wrong is said in it."""
    starts = [*offer.bases(), *offer.tuned()]
    values = dict(values)
    launch, problem = _priced(offer, values)
    chosen = _chosen(offer, starts, values.get("model", ""))
    service = offer.service(chosen.provider)
    values["model"] = chosen.value
    form = LaunchForm(
        dataset_ref=offer.dataset.ref.member,
        filename=offer.dataset.data.filename,
        rows=offer.report.rows,
        method=METHOD_OF_FORMAT.get(str(offer.report.format), "supervised"),
        starts=_by_provider(offer, _with(starts, chosen)),
        values=values,
        name_preview=service.tuned_name.format(model=chosen.model, suffix=values.get("suffix", "").strip().lower()),
        quote=launch.request.quote if launch else None,
        cap_usd=reserved_micros(launch.request) / MICROS if launch else 0.0,
        notice=problem or notice,
        advice=_advice(offer, chosen),
        digest=launch.request.digest() if launch else "",
        validations=tuple(_labelled(_validations(offer, values.get("valid", "")))),
        rate=service.rate,
        epochs_max=service.epochs_max,
        wandb=service.wandb,
        provider=service.shown,
        region=service.region,
        not_offered=tuple(offer.not_offered()),
        classes=offer.labels if len(offer.labels) == TWO_CLASSES else (),
        hosting=host_price(offer.desk, chosen.provider, chosen.model),
        asking_usd=launch.asking_usd if launch else 0.0,
        asking_rows=offer.desk.evaluation_rows,
        folded=folded,
    )
    shown = held_micros(launch) if launch else 0
    return views.launch_modal(form, metadata=_memo(offer, values, shown, service, folded=folded).as_text())


def _priced(offer: Offer, values: Mapping[str, str]) -> tuple[Launch | None, str]:
    try:
        return launch_of(offer, values), ""
    except FieldError as error:
        return None, f"{error.message} {error.hint}".strip()


def _chosen(offer: Offer, starts: list[Start], named: str) -> Start:
    """The start that is named, also where it is too old to be in the list; the first where it is none."""
    try:
        return offer.start(named)
    except UserError:  # said in the form already, by `_priced`
        return starts[0]


def _with(starts: list[Start], chosen: Start) -> list[Start]:
    return starts if chosen in starts else [chosen, *starts]


def _by_provider(offer: Offer, starts: list[Start]) -> dict[str, list[tuple[str, str]]]:
    """(value, label) of what training may start from, below the provider that trains it."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for start in starts:
        groups.setdefault(offer.service(start.provider).shown, []).append((start.value, start.label))
    return groups


def _memo(offer: Offer, values: Mapping[str, str], shown_micros: int, service: Service, *, folded: bool) -> Memo:
    """What the form cannot hold goes with it: folded fields, and what only a line can say."""
    away = {
        *(FOLDED if folded else ()),
        "cap",
        "classes",
        "positive",
        "valid",
        "holdout",
        *([] if service.wandb else ["wandb"]),
    }
    # Slack keeps 3,000 characters; whatever is longer than this is refused by its own parser, cut or not
    kept = {name: value[:KEPT_CHARACTERS] for name, value in values.items() if name in away and value}
    return Memo(dataset=offer.dataset.ref.member, shown_micros=shown_micros, folded=folded, kept=kept)


def _validations(offer: Offer, named: str) -> list[Record[Dataset]]:
    """The other datasets to measure by, and the one that is named where it is too old to be among them."""
    found = offer.validations()
    if named in {"", SPLIT, *(record.ref.id for record in found)}:
        return found
    try:
        return [offer.validation(named), *found]
    except UserError:  # said in the form already, by `_priced`
        return found


def _labelled(datasets: list[Record[Dataset]]) -> list[tuple[str, str]]:
    return [(record.ref.id, _label(record)) for record in datasets]


def _label(record: Record[Dataset]) -> str:
    rows = words.plural(record.data.rows_seen, "row")
    return f"{record.ref.id} {words.name(record.data.filename, LABEL_MAX)}, {rows}"


def _advice(offer: Offer, chosen: Start) -> str:
    return " ".join(filter(None, [_of_last_days(offer, chosen), _of_going_on(offer, chosen)]))


def _of_last_days(offer: Offer, chosen: Start) -> str:
    ends = ending_of(offer.desk, chosen.model)
    return f"{words.model_name(chosen.model)} {ends}." if ends else ""


def _of_going_on(offer: Offer, chosen: Start) -> str:
    if chosen.parent is None:
        return ""
    if offer.report.examples < FEW_ROWS:
        return (
            f"Going on from {chosen.value} with little data: lower the learning rate 2 to 4 times "
            "(x0.5 to x0.25, under Advanced), or it forgets what it knows."
        )
    return f"Going on from {chosen.value}: what it learnt before is kept."
