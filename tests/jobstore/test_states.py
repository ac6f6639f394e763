"""The state tables: nothing out of reach, nothing without an end, and the picture tells the truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobstore.states import FIRST, TABLES, Actor, Kind, allows, document, state_of

STATES = [(kind, name) for kind in Kind for name in TABLES[kind]]
DOCUMENT = Path(__file__).parents[2] / "docs" / "states.md"


def reachable(kind: Kind, start: str) -> set[str]:
    """Every state a record standing in `start` may come to, `start` included."""
    found = {start}
    ahead = [start]
    while ahead:
        new = set(state_of(kind, ahead.pop()).to) - found
        found |= new
        ahead += new
    return found


@pytest.mark.parametrize(("kind", "name"), STATES)
def test_every_state_is_reachable(kind: Kind, name: str) -> None:
    assert any(name in reachable(kind, first) for first in FIRST[kind])


@pytest.mark.parametrize(("kind", "name"), STATES)
def test_every_state_leads_to_an_end(kind: Kind, name: str) -> None:
    assert any(state_of(kind, end).is_final for end in reachable(kind, name))


@pytest.mark.parametrize(("kind", "name"), STATES)
def test_every_live_state_has_somebody_to_act(kind: Kind, name: str) -> None:
    state = state_of(kind, name)
    assert state.is_final == (state.actor is Actor.NOBODY)
    assert set(state.to) <= set(TABLES[kind]) - {name}


@pytest.mark.parametrize(("kind", "name"), STATES)
def test_record_may_be_amended_unless_it_is_finished_and_forgotten(kind: Kind, name: str) -> None:
    state = state_of(kind, name)
    assert allows(kind, name, name) == (not state.is_final or state.is_kept)


def test_paid_run_never_fails() -> None:
    """Once a run has finished, no analysis or probe that goes wrong makes the job `failed`."""
    assert "failed" not in reachable(Kind.JOB, "analysing")


def test_picture_in_the_docs_is_drawn_from_the_code() -> None:
    assert DOCUMENT.read_text() == document(), "./run python -m jobstore.states > docs/states.md"
