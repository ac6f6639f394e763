"""The provider: whether the key is good, what is on offer and until when, and whether the account may train."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from finetune.errors import UserError
from tuneroom import wiring
from tuneroom.doctor.verdict import Verdict, ok, warning, wrong
from workers.provider import ErrorKind, ProviderError
from workers.standing import Standing, standing

if TYPE_CHECKING:
    from finetune.catalogue import Catalogue, Model
    from tuneroom.settings import Settings

SOON: Final = timedelta(days=60)
RECENT: Final = timedelta(days=60)
OUR_TRAINER: Final = "trainer"


def examine(settings: Settings, catalogue: Catalogue) -> list[Verdict]:
    """Look at the provider, without paying it anything."""
    today = datetime.now(UTC).date()
    if not settings.openai_api_key:
        mend = "Set OPENAI_API_KEY; for a provider other than OpenAI, OPENAI_BASE_URL and TUNEROOM_PROVIDER, too."
        return [wrong("provider", "OPENAI_API_KEY is not set.", mend), *_on_offer(settings, catalogue, None, today)]
    where = settings.openai_base_url or "OpenAI"
    try:
        found = standing(settings.openai_api_key, settings.openai_base_url)
    except ProviderError as error:
        mend = "Look at OPENAI_BASE_URL and the network." if error.kind is ErrorKind.RETRY else _key_mend(error)
        refused = wrong("provider", f"{where}: {error.message} ({error.code})", mend)
        return [refused, *_on_offer(settings, catalogue, None, today)]
    return [
        ok("provider", f"{where} takes the key and lists {len(found.models)} models."),
        _training(settings, found, today),
        *_on_offer(settings, catalogue, found, today),
    ]


def _key_mend(error: ProviderError) -> str:
    return "Set OPENAI_API_KEY to a key that works there." if error.kind is ErrorKind.REFUSED else error.hint


def _training(settings: Settings, found: Standing, today: date) -> Verdict:
    """Whether a run may be created: an account that may not is told so only when it creates one (`docs/operate.md`)."""
    if found.refused:
        mend = "Give the key the right to fine-tune, or choose another provider."
        return wrong("may train", f"fine-tunes may not even be listed: {found.refused}", mend)
    if settings.accounts[0].name == OUR_TRAINER:
        return ok("may train", "it is a trainer of our own.")
    if found.last_run is not None and today - found.last_run <= RECENT:
        return ok("may train", f"the newest run there is of {found.last_run}; the next one is not promised by that.")
    mend = "Nothing but a first small job shows it; one that is refused costs nothing (code training_not_available)."
    since = f"the newest run is of {found.last_run}" if found.last_run else "there is no run yet"
    return warning("may train", f"not known: {since}, and a provider tells only whoever creates one.", mend)


def _on_offer(settings: Settings, catalogue: Catalogue, found: Standing | None, today: date) -> list[Verdict]:
    try:
        names = wiring.models_of(settings, catalogue)
    except UserError as error:
        return [wrong("models", error.message, error.hint)]
    if not names:
        mend = "Add its models by TUNEROOM_PRICE_TABLE, or name some by TUNEROOM_MODELS."
        return [wrong("models", f"the price table has none open at {settings.provider}.", mend)]
    models = [model for name in names if (model := catalogue.get(name)) is not None]
    return [_model(model, found, today) for model in models]


def _model(model: Model, found: Standing | None, today: date) -> Verdict:
    subject, mend = f"model {model.name}", "Take it out of TUNEROOM_MODELS, or offer another."
    if found is not None and not ({model.name, *model.aliases} & set(found.models)):
        return wrong(subject, "the provider does not list it.", mend)
    told = found.models.get(model.name) if found is not None else None
    if told is not None and model.shutdown is not None and told != model.shutdown:
        note = f"it stops on {told} by the provider, and on {model.shutdown} by the price table."
        return warning(subject, note, "Correct the table (TUNEROOM_PRICE_TABLE).")
    ends = [day for day in (model.last_job, model.shutdown, told) if day is not None]
    last = min(ends, default=None)
    if last is None:
        return ok(subject, "on offer; no last day is known.")
    if last <= today:
        return wrong(subject, f"no new job since {last}.", mend)
    if last - today <= SOON:
        return warning(subject, f"no new job from {last} on ({(last - today).days} days).", "Plan where to go next.")
    return ok(subject, f"on offer until {last}.")
