"""What a launch is refused, with the reason: parameters of another method, models that cannot be gone on from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.choosing import OF_REINFORCEMENT
from bot.form_values import first_values
from bot.launching import launch_of
from bot.said import FieldError
from tests.bot.offers import an_offer
from tests.support.samples import a_job, a_request, recorded

if TYPE_CHECKING:
    from jobstore.store import Store

TO_READY = ("uploading", "creating", "queued", "training", "analysing", "probing", "ready")


def trained(store: Store, **request: Any) -> str:
    """A job that is ready, as its model is called."""
    ref = recorded(store, a_job(request=a_request(**request), run="ftjob-1", model="ft:done"))
    record: Any = store.get(ref)
    for state in TO_READY:
        record = store.transition(record, state, record.data)
    return ref.id.replace("j", "m")


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"provider": "elsewhere", "model": "base-1"}, "it was trained by elsewhere, and I have no key for that here"),
        ({"provider": "beta", "model": "other-1"}, "Beta Corp does not go on from tuned models"),
        ({"provider": "acme", "model": "gone-1"}, "its base, gone-1, stopped on 2001-01-01"),
    ],
)
def test_model_that_cannot_be_gone_on_from_says_why(store: Store, request_: dict[str, Any], why: str) -> None:
    offer, model = an_offer(store, further="beta"), trained(store, **request_)
    assert offer.tuned() == []
    with pytest.raises(FieldError) as refused:
        launch_of(offer, first_values(offer) | {"model": model})
    assert refused.value.message == f"Training cannot go on from {model}: {why}."


def test_model_that_is_not_ready_or_not_there_says_so(store: Store) -> None:
    offer, job = an_offer(store), recorded(store, a_job(request=a_request(provider="acme", model="base-1")))
    for named, said in [
        (job.id.replace("j", "m"), "it has no model that is ready."),
        ("m999", "I know no model m999 in this channel."),
    ]:
        with pytest.raises(FieldError) as refused:
            launch_of(offer, first_values(offer) | {"model": named})
        assert refused.value.message.endswith(said)


def test_model_that_can_be_gone_on_from_is_the_start(store: Store) -> None:
    offer, model = an_offer(store), trained(store, provider="acme", model="base-1")
    parent = launch_of(offer, first_values(offer, model=model)).request.parent
    assert parent is not None
    assert (parent.name, parent.step) == ("ft:done", 0)


@pytest.mark.parametrize("name", OF_REINFORCEMENT)
@pytest.mark.parametrize("format_name", ["chat", "preference"])
def test_what_only_a_grader_needs_is_not_left_out_unsaid(store: Store, format_name: str, name: str) -> None:
    offer = an_offer(store, format=format_name)
    with pytest.raises(FieldError, match=f"Only learning by reinforcement .rft. has {name}="):
        launch_of(offer, first_values(offer) | {name: "2"})
    assert launch_of(offer, first_values(offer) | {name: "auto"}).request.reinforcement is None


def test_reinforcement_is_not_started_without_rows_to_measure_it_by(store: Store) -> None:
    """Its providers insist on a validation file."""
    offer = an_offer(store, format="reinforcement", examples=20)
    values = first_values(offer) | {"grader": "exact:answer"}
    with pytest.raises(FieldError) as refused:
        launch_of(offer, values | {"holdout": "0"})
    assert (refused.value.code, refused.value.field) == ("validation-missing", "holdout")
    assert launch_of(offer, values).request.holdout_percent == 10
    assert first_values(an_offer(store, examples=20))["holdout"] == "0", "others learn from all of a few rows"
