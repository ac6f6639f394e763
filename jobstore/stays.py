"""What is remembered of a model's stay on a host of its own, which is paid by the hour."""

from __future__ import annotations

from dataclasses import dataclass

from finetune.hosting import HOUR_MS
from jobstore.intents import Intent  # noqa: TC001 - msgspec reads the annotations
from jobstore.refusals import Refusal  # noqa: TC001 - the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One stay, as `person` confirmed it, and what became of it. Times in ms since 1970.

    `number` counts a job's stays from 1. What it may cost is reserved in `month` under `accounts` (`jobstore.money`).
    `host` is the provider's id of the host, `model` the name that the model is asked by there, `said` the provider's
    own word for how the host is ("" while nobody has looked). `woken`: the model had been asleep before. `began_ms`:
    since when it may be paid; `answers_ms`: since when people may ask it; `stop_ms`: when the provider was last asked
    to end it. `why` it is to end: hours, idle, person, provider, failed, silent or price; `refusal` says more of it.
    `told_usd_per_hour` is what the host says it costs, None where it does not.
    """

    number: int
    person: str
    digest: str
    hours: int
    usd_per_hour: float
    month: str
    confirmed_ms: int
    reserved_micros: int
    accounts: tuple[str, ...] = ()
    woken: bool = False
    intent: Intent | None = None
    intents: int = 0
    host: str = ""
    model: str = ""
    said: str = ""
    told_usd_per_hour: float | None = None
    began_ms: int = 0
    answers_ms: int = 0
    stop_ms: int = 0
    ended_ms: int = 0
    why: str = ""
    spent_micros: int = 0
    refusal: Refusal | None = None

    @property
    def until_ms(self) -> int:
        """The end of the hours that were confirmed; 0 while nothing has begun."""
        return self.began_ms + self.hours * HOUR_MS if self.began_ms else 0

    def cost_micros(self, now_ms: int) -> int:
        """Return what it has cost by now or by its end, in micro-dollars: the time since it began x the price."""
        if not self.began_ms:
            return 0
        price = self.usd_per_hour if self.told_usd_per_hour is None else self.told_usd_per_hour
        elapsed_ms = max(0, (self.ended_ms or now_ms) - self.began_ms)
        return round(elapsed_ms / HOUR_MS * price * 1_000_000)
