"""Exactly one paid run, whatever the provider does: by the real stage, the real SDK and a provider over HTTP."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from finetune.graders import parse_grader
from finetune.launch import Reinforcement
from jobstore.store import StaleError
from tests.support.samples import TEAM, a_job, a_request, recorded
from tests.support.waiting import wait_for
from tests.support.wire import Asked, Told, served
from tests.support.workshops import LONG, workshop
from workers.endpoint import Endpoint
from workers.openai_bodies import INTENT_KEY
from workers.openai_protocol import OpenAIProtocol
from workers.perform import perform
from workers.stages.create import create

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis

    from jobstore.connections import Redis
    from jobstore.records import Record, Ref
    from jobstore.store import Store
    from workers.workshop import Workshop
EXACT: Final = json.loads(parse_grader("exact:answer"))
SHORT: Final = dataclasses.replace(LONG, create_deadline_s=0.5, lookup_grace_s=0.5)


class Provider:
    """Creates runs and lists them, badly where it is told to.

    `hides`: so many lists do not show what was created; `forgets`: metadata is not kept; `loses`: answers to create are
    lost after the work was done; `ignores`: the list's filter is not applied; `mute`: lists are not answered; `locked`:
    they are refused.
    """

    def __init__(self) -> None:
        self.url = ""
        self.runs: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.hides, self.forgets, self.loses, self.ignores = 0, False, False, False
        self.mute, self.locked = False, False

    def treat(self, asked: Asked) -> Told | None:
        if asked.method == "POST":
            run = Told(self.created(asked.body))
            return None if self.loses else run
        if self.locked:
            return Told({"error": {"message": "No such key.", "code": "invalid_api_key"}}, 401)
        listed = Told(self.listed(asked.query.get(f"metadata[{INTENT_KEY}]", "")))
        return None if self.mute else listed

    def created(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(asked)
        metadata = None if self.forgets else asked["metadata"]
        self.runs.append({**RUN, "id": f"ftjob-{len(self.runs)}", "metadata": metadata})
        return self.runs[-1]

    def listed(self, intent: str) -> dict[str, Any]:
        shown = [run for run in self.runs if self.ignores or (run["metadata"] or {}).get(INTENT_KEY) == intent]
        if self.runs and self.hides > 0:
            self.hides, shown = self.hides - 1, []
        return {"object": "list", "data": shown, "has_more": False}


RUN: Final[dict[str, Any]] = {
    "object": "fine_tuning.job", "created_at": 1, "error": {}, "fine_tuned_model": None, "finished_at": None,
    "hyperparameters": {"n_epochs": "auto"}, "model": "tiny", "organization_id": "org", "result_files": [], "seed": 7,
    "status": "queued", "trained_tokens": None, "training_file": "file-1", "validation_file": None,
}  # fmt: skip


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    with served(made) as made.url:
        yield made


@pytest.fixture
def shop(store: Store, connection: Redis, redis_url: str, tmp_path: Path, provider: Provider) -> Iterator[Workshop]:
    """A workshop whose one provider is `provider`, and whose look-ups are believed after a minute and more."""
    endpoint = Endpoint(name="local", api_key="key", base_url=f"{provider.url}/v1")
    with workshop(store, connection, redis_url, tmp_path, OpenAIProtocol(endpoint)) as made:
        yield made


def creating(store: Store, **request: Any) -> Ref:
    ref = recorded(store, a_job(request=a_request(**request), train_file="file-1"))
    record = store.get(ref)
    assert record is not None
    record = store.transition(record, "uploading", record.data)
    return store.transition(record, "creating", record.data).ref


def job(store: Store, ref: Ref) -> Record[Any]:
    record = store.get(ref)
    assert record is not None
    return record


def test_grader_that_was_confirmed_is_the_one_that_is_sent(shop: Workshop, store: Store, provider: Provider) -> None:
    """The request names it by the hash of a blob."""
    several = {"type": "multi", "name": "m", "graders": {"e": EXACT}, "calculate_output": "e"}
    grader = parse_grader(json.dumps(several))
    blob = shop.blobs.put_text(TEAM, grader)
    ref = creating(store, method="reinforcement", reinforcement=Reinforcement(grader=blob, eval_interval=5))
    perform(shop, ref)

    assert job(store, ref).state == "queued"
    (asked,) = provider.asked
    assert asked["method"]["reinforcement"]["grader"] == several
    assert asked["method"]["reinforcement"]["hyperparameters"]["eval_interval"] == 5


def test_run_that_is_listed_late_is_adopted(shop: Workshop, store: Store, provider: Provider) -> None:
    ref, provider.loses, provider.hides = creating(store), True, 3
    for _ in range(4):
        perform(shop, ref)
        assert job(store, ref).state == "creating"
    perform(shop, ref)

    assert (job(store, ref).state, job(store, ref).data.run) == ("queued", "ftjob-0")
    assert len(provider.runs) == 1


def test_run_whose_metadata_the_provider_forgets_is_put_before_a_person(
    shop: Workshop, store: Store, provider: Provider
) -> None:
    ref, provider.loses, provider.forgets = creating(store), True, True
    shop = dataclasses.replace(shop, timings=SHORT)
    perform(shop, ref)

    def looked_up() -> bool:
        perform(shop, ref)
        return job(store, ref).state == "unclear"

    wait_for(looked_up, timeout_s=30)
    assert len(provider.runs) == 1


def test_run_that_may_be_paid_is_looked_up_for_as_long_as_it_takes(
    shop: Workshop, store: Store, provider: Provider
) -> None:
    """However often the look-up is not answered: only what finds the run, or a person, moves the job on."""
    ref, provider.loses, provider.mute = creating(store), True, False
    perform(shop, ref)
    provider.mute = True
    for _ in range(shop.timings.retries_max + 3):
        perform(shop, ref)
        assert job(store, ref).state == "creating"
    provider.mute = False
    perform(shop, ref)

    assert (job(store, ref).state, job(store, ref).data.run) == ("queued", "ftjob-0")
    assert len(provider.runs) == 1


def test_run_that_may_be_paid_and_cannot_be_looked_up_is_put_before_a_person(
    shop: Workshop, store: Store, provider: Provider
) -> None:
    ref, provider.loses = creating(store), True
    perform(shop, ref)
    provider.locked = True
    perform(shop, ref)

    assert job(store, ref).state == "unclear"
    assert "key" in job(store, ref).data.note
    assert job(store, ref).data.reserved_micros == a_job(request=a_request()).reserved_micros
    assert len(provider.runs) == 1


def test_job_whose_request_never_went_out_fails_after_so_many_tries(
    shop: Workshop, store: Store, provider: Provider
) -> None:
    ref, provider.mute = creating(store), True
    for _ in range(shop.timings.retries_max + 1):
        perform(shop, ref)

    assert job(store, ref).state == "failed"
    assert provider.runs == []


def test_filter_that_the_provider_ignores_adopts_no_other_run(shop: Workshop, store: Store, provider: Provider) -> None:
    provider.ignores = True
    provider.created({"metadata": {INTENT_KEY: "another"}})
    ref = creating(store)
    perform(shop, ref)

    assert job(store, ref).data.run == "ftjob-1"
    assert len(provider.runs) == 2


def test_record_that_is_older_than_its_run_finds_it_again(
    shop: Workshop, store: Store, provider: Provider, peek: redis.Redis
) -> None:
    """As after a restart from a copy that was made before the run: the intent is not even recorded."""
    ref = creating(store)
    key = f"tuneroom:{{{ref.team}}}:{ref.member}"
    before: Any = peek.hgetall(key)
    perform(shop, ref)
    assert len(provider.runs) == 1
    peek.hset(key, mapping=before)
    assert (job(store, ref).state, job(store, ref).data.intent) == ("creating", None)
    perform(shop, ref)

    assert (job(store, ref).state, job(store, ref).data.run) == ("queued", "ftjob-0")
    assert len(provider.runs) == 1


def test_same_request_confirmed_twice_at_the_same_moment_is_two_runs(
    shop: Workshop, store: Store, provider: Provider
) -> None:
    """Two people may press at once: each agreed to pay for a run, and neither is to follow the other's."""
    jobs = [creating(store), creating(store)]
    assert len({(job(store, ref).data.digest, job(store, ref).data.confirmed_ms) for ref in jobs}) == 1
    for ref in jobs:
        perform(shop, ref)

    assert [job(store, ref).data.run for ref in jobs] == ["ftjob-0", "ftjob-1"]


def test_owner_that_lost_its_lease_before_the_request_sends_none(
    shop: Workshop, store: Store, provider: Provider
) -> None:
    """Its lease lapses while it looks the run up, and another takes the job up."""
    ref = creating(store)
    mine = store.claim(ref, ["creating"], 1)
    assert mine is not None
    theirs = wait_for(lambda: store.claim(ref, ["creating"], 60_000))
    assert theirs is not None

    with pytest.raises(StaleError):
        create(shop, mine)
    assert provider.runs == []
