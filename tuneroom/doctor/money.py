"""Money: the caps, what they have left, and how old the prices are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from jobstore.store import Store
from tuneroom.doctor.verdict import Verdict, ok, warning, wrong

if TYPE_CHECKING:
    from finetune.catalogue import Catalogue
    from jobstore.connections import Redis
    from tuneroom.settings import Settings

OLD: Final = timedelta(days=60)
NEARLY: Final = 0.9


def examine(settings: Settings, catalogue: Catalogue, redis: Redis | None) -> list[Verdict]:
    """Look at what may be spent, and by which prices it is reckoned."""
    spent = _spent(settings, redis) if redis is not None else []
    return [_caps(settings), *spent, _prices(catalogue)]


def _caps(settings: Settings) -> Verdict:
    run, month = settings.cap_run_usd, settings.cap_month_usd
    found = f"${run:,.2f} a run, ${month:,.2f} a month, for each workspace."
    if run <= 0 or month <= 0:
        mend = "Set TUNEROOM_CAP_RUN_USD and TUNEROOM_CAP_MONTH_USD; with 0, only what costs nothing can be started."
        return warning("caps", found, mend)
    if run > month:
        return warning("caps", found, "The cap of a run is above the month's: lower TUNEROOM_CAP_RUN_USD.")
    return ok("caps", found)


def _spent(settings: Settings, redis: Redis) -> list[Verdict]:
    store = Store(redis)
    month = f"{datetime.fromtimestamp(store.now_ms() / 1000, UTC):%Y-%m}"
    verdicts: list[Verdict] = []
    for team in store.teams():
        reserved, spent = store.spend(team, month)
        found = f"${spent:,.2f} spent and ${reserved:,.2f} reserved in {month}."
        near = reserved + spent >= NEARLY * settings.cap_month_usd > 0
        mend = "New runs are refused at the cap; raise TUNEROOM_CAP_MONTH_USD if that is not meant."
        verdicts.append(warning(f"money of {team}", found, mend) if near else ok(f"money of {team}", found))
    return verdicts


def _prices(catalogue: Catalogue) -> Verdict:
    age = datetime.now(UTC).date() - catalogue.as_of
    found = f"looked up on {catalogue.as_of}, {age.days} days ago."
    if age.days < 0:
        return wrong("prices", f"dated {catalogue.as_of}, which is yet to come.", "Correct `as_of` in the price table.")
    if age > OLD:
        mend = "Look them up, and give TUNEROOM_PRICE_TABLE a file with the new ones and their date."
        return warning("prices", found, mend)
    return ok("prices", found)
