"""Asking a model about held-out rows: batch after batch, within a time, a number and a price, each batch kept."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from finetune.class_odds import class_odds
from finetune.evaluation import Given, Plan
from jobstore.faults import reach
from workers.provider import ErrorKind, ProviderError, Question

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from finetune.catalogue import Model
    from finetune.contract import PromptContract
    from finetune.held_out import HeldOutRow
    from jobstore.evaluations import Evaluation
    from workers.provider import Answer
    from workers.workshop import Workshop

    Keep = Callable[[Evaluation, float], None]

BATCH: Final = 8
AT_ONCE: Final = 4
TURN_MS: Final = 15_000
"""How long one task asks before other jobs have their turn."""

DEADLINE_MS: Final = 300_000
TRIES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """The model that is asked: its name at its provider, which model of the table has its price, how it is to be asked.

    `is_base`: it is that model itself, not one that was tuned from it.
    """

    model: str
    provider: str
    priced: Model | None
    contract: PromptContract
    is_base: bool = False


class Asking:
    """One task's turn at asking. `evaluation` is as the last batch left it, `error` what stopped it, if an error did.

    `keep` is called with it, and with what the batch has cost in US dollars, when a batch is answered. `attempts`: how
    often the record was taken up in vain.
    """

    def __init__(
        self,
        shop: Workshop,
        team: str,
        whom: Whom,
        evaluation: Evaluation,
        *,
        limit_usd: float,
        attempts: int,
        keep: Keep,
    ) -> None:
        self._shop, self._team, self._whom, self.evaluation = shop, team, whom, evaluation
        self._limit_usd, self._attempts, self._on_keep = limit_usd, attempts, keep
        self.plan = msgspec.json.decode(shop.blobs.read(team, evaluation.plan), type=Plan)
        kept = shop.blobs.read(team, evaluation.answers) if evaluation.answers else b"[]"
        self.given = msgspec.json.decode(kept, type=list[Given])
        self.error: ProviderError | None = None
        self._ends_ms = shop.store.now_ms() + TURN_MS

    @property
    def is_over(self) -> bool:
        """Whether every row was asked, or asking was stopped."""
        return bool(self.evaluation.stopped) or len(self.given) >= len(self.plan.rows)

    def go_on(self) -> None:
        """Ask until all is asked, something stops it, or this turn is over; ProviderError where it is worth a retry."""
        while not self.is_over and self._shop.store.now_ms() < self._ends_ms:
            batch = self.plan.rows[len(self.given) : len(self.given) + BATCH]
            if why := self._why_stop(batch):
                self.stop(why)
            else:
                self._ask(batch)

    def stop(self, why: str, error: ProviderError | None = None) -> None:
        """Ask no more."""
        self.evaluation, self.error = dataclasses.replace(self.evaluation, stopped=why), error

    def _why_stop(self, batch: Sequence[HeldOutRow]) -> str:
        if self._shop.store.now_ms() - self.evaluation.begun_ms > DEADLINE_MS:
            return "time"
        if self._attempts >= TRIES:
            return "provider"
        over = self.evaluation.cost_usd + self._most_usd(batch) > self._limit_usd
        return "price" if over else ""

    def _most_usd(self, batch: Sequence[HeldOutRow]) -> float:
        """What a batch may cost: as much a row as those before, or by its bytes, of which few tokens have but one."""
        system = len((self._whom.contract.system or "").encode())
        said = sum(len(row.question.encode()) + (len(row.system.encode()) if row.system else system) for row in batch)
        by_bytes = self._usd(said // 2, len(batch) * self.plan.max_tokens)
        return max(by_bytes, self.evaluation.cost_usd / max(1, self.evaluation.asked) * len(batch))

    def _ask(self, batch: Sequence[HeldOutRow]) -> None:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            said = list(threads.map(self._answer, batch))
        errors = [one for one in said if isinstance(one, ProviderError)]
        if error := next((one for one in errors if one.kind is not ErrorKind.REFUSED), None):
            if error.is_final:
                return self.stop("provider", error)
            raise error
        reach("evaluate.answered")
        if len(errors) == len(said):
            return self._do_without_odds(errors[0])
        return self._keep([None if isinstance(one, ProviderError) else one for one in said])

    def _do_without_odds(self, error: ProviderError) -> None:
        """Some models refuse to say how likely their tokens were, and answer all the same."""
        if not self.evaluation.with_odds:
            return self.stop("provider", error)
        self.evaluation = dataclasses.replace(self.evaluation, with_odds=False)
        return None

    def _answer(self, row: HeldOutRow) -> Answer | ProviderError:
        contract = self._whom.contract
        question = Question(
            model=self._whom.model,
            text=row.question,
            contract=contract if row.system is None else dataclasses.replace(contract, system=row.system),
            max_tokens=self.plan.max_tokens,
            odds=self.evaluation.with_odds and bool(self.plan.positive),
        )
        try:
            return self._shop.providers[self._whom.provider].answer(question)
        except ProviderError as error:
            return error

    def _keep(self, said: Sequence[Answer | None]) -> None:
        self.given += [self._given(one) for one in said]
        cost = sum(self._usd(one.prompt_tokens, one.completion_tokens) for one in said if one)
        answers, _ = self._shop.blobs.put(self._team, [msgspec.json.encode(self.given)])
        self.evaluation = dataclasses.replace(
            self.evaluation, answers=answers, asked=len(self.given), cost_usd=self.evaluation.cost_usd + cost
        )
        self._on_keep(self.evaluation, cost)

    def _usd(self, prompt_tokens: int, answer_tokens: int) -> float:
        """What it costs; nothing on a host of its own, which is paid by the hour and may have no price by the token."""
        model = self._whom.priced
        price = (model.base_price if self._whom.is_base else model.tuned_price) if model else None
        return price.usd(prompt_tokens, answer_tokens) if price else 0.0

    def _given(self, said: Answer | None) -> Given:
        if said is None:
            return Given(None)
        odds = class_odds(said.odds, self.plan.labels) if self.plan.positive else None
        return Given(said.text.strip(), odds[self.plan.positive] if odds else None)
