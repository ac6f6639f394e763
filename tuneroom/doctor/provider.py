"""The provider: whether the key is good, what is on offer and until when, and whether the account may train."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from finetune.errors import UserError
from tuneroom import wiring
from tuneroom.doctor.verdict import Verdict, ok, warning, wrong
from tuneroom.settings import variable
from workers.openai_dialects import listed_as
from workers.provider import ErrorKind, ProviderError
from workers.standing import Standing, standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from finetune.catalogue import Catalogue, Model
    from tuneroom.settings import Account, Settings
    from workers.provider import Provider

SOON: Final = timedelta(days=60)
RECENT: Final = timedelta(days=60)
TIMEOUT_S: Final = 10.0
OUR_TRAINER: Final = "trainer"


@dataclass(frozen=True, slots=True)
class _Answered:
    """A provider that took the key, and what it said of itself."""

    provider: Provider
    standing: Standing


def examine(settings: Settings, catalogue: Catalogue) -> list[Verdict]:
    """Look at each provider, without paying it anything."""
    today = datetime.now(UTC).date()
    verdicts = _names(settings, catalogue)
    listed: dict[str, _Answered] = {}
    for account in settings.accounts:
        found, said = _account(settings, account, today)
        verdicts += said
        listed |= {account.name: found} if found else {}
    return [*verdicts, *_on_offer(settings, catalogue, listed, today)]


def _names(settings: Settings, catalogue: Catalogue) -> list[Verdict]:
    """A name that the price table does not know is most likely written wrongly."""
    known = [service.name for service in catalogue.services]
    mend = f"It knows {', '.join(known)}; another is added by `services` in TUNEROOM_PRICE_TABLE."
    return [
        wrong("TUNEROOM_PROVIDER", f"it names {account.name}, which the price table does not know.", mend)
        for account in settings.accounts
        if account.name not in known
    ]


def _account(settings: Settings, account: Account, today: date) -> tuple[_Answered | None, list[Verdict]]:
    """What one provider says of itself, None where it says nothing, and what is to be thought of that."""
    is_first = account == settings.accounts[0]
    subject, key = ("provider", "OPENAI_API_KEY") if is_first else (f"provider {account.name}", _key(account.name))
    if not account.api_key:
        first = "; for a provider other than OpenAI, OPENAI_BASE_URL and TUNEROOM_PROVIDER, too" if is_first else ""
        return None, [wrong(subject, f"{key} is not set.", f"Set {key}{first}.")]
    where, address = account.base_url or "OpenAI", wiring.address_of(settings, account)
    try:
        provider = wiring.provider_of(settings, account, timeout_s=TIMEOUT_S)
        found = standing(provider)
    except UserError as error:
        return None, [wrong(subject, error.message, error.hint)]
    except ProviderError as error:
        return None, [wrong(subject, f"{where}: {error.message} ({error.code})", _mend(error, key, address))]
    except Exception as error:  # noqa: BLE001 - a page, or another API: the SDK breaks on it in ways of its own
        mend = f"Set {address} to the address of the API, such as https://HOST/v1; a page for people is another."
        return None, [wrong(subject, f"{where} answers otherwise than a provider ({type(error).__name__}).", mend)]
    takes = ok(subject, f"{where} takes the key and lists {len(found.models)} models.")
    trains = _training("may train" if is_first else f"may train at {account.name}", account, found, today)
    return _Answered(provider, found), [takes, trains]


def _key(name: str) -> str:
    return variable(f"{name}_api_key")


def _mend(error: ProviderError, key: str, address: str) -> str:
    match error.kind:
        case ErrorKind.REFUSED:
            return f"Set {key} to a key that works there."
        case ErrorKind.MISSING:
            return f"Look at {address}: most addresses end in /v1, once."
        case ErrorKind.RETRY | ErrorKind.UNSURE:
            return f"Look at {address} and the network; then at the provider's own page of its state."
        case _:
            return error.hint


def _training(subject: str, account: Account, found: Standing, today: date) -> Verdict:
    """Whether a run may be created: an account that may not is told so only when it creates one (`docs/operate.md`)."""
    if found.refused:
        mend = "Give the key the right to fine-tune, or choose another provider."
        return wrong(subject, f"fine-tunes may not even be listed: {found.refused}", mend)
    if account.name == OUR_TRAINER:
        return ok(subject, "it is a trainer of our own.")
    if found.last_run is not None and today - found.last_run <= RECENT:
        return ok(subject, f"the newest run there is of {found.last_run}; the next one is not promised by that.")
    mend = "Nothing but a first small job shows it; one that is refused costs nothing (code training_not_available)."
    since = f"the newest run is of {found.last_run}" if found.last_run else "there is no run yet"
    return warning(subject, f"not known: {since}, and a provider tells only whoever creates one.", mend)


def _on_offer(settings: Settings, catalogue: Catalogue, listed: Mapping[str, _Answered], today: date) -> list[Verdict]:
    try:
        names = wiring.models_of(settings, catalogue)
    except UserError as error:
        return [wrong("models", error.message, error.hint)]
    if not names:
        mend = "Add its models by TUNEROOM_PRICE_TABLE, or name some by TUNEROOM_MODELS."
        return [wrong("models", f"the price table has none open at {settings.provider}.", mend)]
    models = [model for name in names if (model := catalogue.get(name)) is not None]
    first = settings.accounts[0].name
    return [_model(model, listed.get(model.provider, listed.get(first)), today) for model in models]


def _model(model: Model, found: _Answered | None, today: date) -> Verdict:
    subject, mend = f"model {model.name}", "Take it out of TUNEROOM_MODELS, or offer another."
    if found is not None and (against := _against(found, model)):
        return wrong(subject, against, mend)
    told = found.standing.models.get(model.name) if found is not None else None
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


def _against(found: _Answered, model: Model) -> str:
    """What the provider says against a job on this model, which the job would be told, too, before rows are sent."""
    names = {model.name, listed_as(model.name, model.provider), *model.aliases}
    if not names & set(found.standing.models):
        return "the provider does not list it."
    if found.standing.refused:  # said once, of the account
        return ""
    try:
        found.provider.may_train(model.name)
    except ProviderError as error:
        return f"{error.message} ({error.code})"
    return ""
