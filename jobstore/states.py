"""The state tables: what each record can be, who acts on it there, and where it may go. Data, not code.

`docs/states.md` is drawn from these tables (`python -m jobstore.states`), and `transition.lua` is only ever given
moves that stand in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """The kinds of record."""

    DATASET = "dataset"
    JOB = "job"
    PROMPT = "prompt"
    COMPARISON = "comparison"


class Actor(StrEnum):
    """Who is due to act on a record in a state. Each has its own due-time set."""

    FETCHER = "fetcher"
    WORKER = "worker"
    FOLLOWER = "follower"
    PERSON = "person"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class State:
    """One state: who acts, and the states a record may go to from here.

    What is finished is forgotten after the retention, unless it `is_kept`: a model lives longer than its job's news.
    """

    actor: Actor
    to: tuple[str, ...] = ()
    is_kept: bool = False

    @property
    def is_final(self) -> bool:
        """Whether a record in this state is finished: nobody is due to act on it, though a person still may."""
        return self.actor is Actor.NOBODY


def _live(actor: Actor, *to: str) -> State:
    return State(actor, to)


_DONE: Final = State(Actor.NOBODY)

TABLES: Final[dict[Kind, dict[str, State]]] = {
    Kind.DATASET: {
        "received": _live(Actor.FETCHER, "fetching", "unreadable"),
        "fetching": _live(Actor.FETCHER, "checking", "accepted", "rejected", "unreadable"),
        "mending": _live(Actor.WORKER, "checking", "unreadable"),
        "checking": _live(Actor.WORKER, "accepted", "rejected", "unreadable"),
        "accepted": _DONE,
        "rejected": _DONE,
        "unreadable": _DONE,
    },
    Kind.JOB: {
        "requested": _live(Actor.WORKER, "awaiting_approval", "uploading", "failed", "cancelled"),
        # approval by somebody else: the state is here, nothing asks for it yet
        "awaiting_approval": _live(Actor.PERSON, "uploading", "failed"),
        "uploading": _live(Actor.WORKER, "creating", "failed", "cancelled"),
        "creating": _live(Actor.WORKER, "queued", "unclear", "failed", "cancelled"),
        "unclear": _live(Actor.PERSON, "creating", "queued", "failed"),
        "queued": _live(Actor.FOLLOWER, "training", "analysing", "unclear", "failed", "cancelled"),
        "training": _live(Actor.FOLLOWER, "analysing", "failed", "cancelled"),
        "analysing": _live(Actor.WORKER, "probing", "awaiting_hosting"),
        # where models answer only from a host of their own, which is paid by the hour
        "awaiting_hosting": _live(Actor.PERSON, "deploying", "asleep", "deleting"),
        "deploying": _live(Actor.WORKER, "probing", "stopping", "unclear_host", "asleep"),
        # another state than `unclear`, so that this table shows that a paid run never fails
        "unclear_host": _live(Actor.PERSON, "deploying", "asleep"),
        "probing": _live(Actor.WORKER, "evaluating", "ready", "hosted", "stopping"),
        "evaluating": _live(Actor.WORKER, "ready", "hosted", "stopping"),
        "ready": State(Actor.NOBODY, ("deleting",), is_kept=True),
        # ready as well, but somebody must look when it is to be put to sleep
        "hosted": State(Actor.WORKER, ("stopping",), is_kept=True),
        "stopping": _live(Actor.WORKER, "asleep"),
        "asleep": State(Actor.NOBODY, ("deploying", "deleting"), is_kept=True),
        "deleting": _live(Actor.WORKER, "deleted"),
        "deleted": _DONE,
        "failed": _DONE,
        "cancelled": _DONE,
    },
    Kind.PROMPT: {
        "asked": _live(Actor.WORKER, "answering", "failed"),
        "answering": _live(Actor.WORKER, "answered", "failed"),
        "answered": _DONE,
        "failed": _DONE,
    },
    Kind.COMPARISON: {
        "comparing": _live(Actor.WORKER, "compared", "failed"),
        "compared": _DONE,
        "failed": _DONE,
    },
}

ANSWERING: Final = frozenset({"ready", "hosted"})
"""A job whose model answers."""

TRAINED: Final = ANSWERING | {"asleep"}
"""A job that has a model, whether it answers just now or must be woken."""

UNCLEAR: Final = frozenset({"unclear", "unclear_host"})
"""Nobody knows whether a paid request was carried out, and a person decides."""

FIRST: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.DATASET: ("received", "mending"),
    Kind.JOB: ("requested",),
    Kind.PROMPT: ("asked",),
    Kind.COMPARISON: ("comparing",),
}
"""What a record may begin as: a dataset as a file that was dropped, or as a version to be made of one."""


def state_of(kind: Kind, name: str) -> State:
    """Return the state called `name` of records of `kind`."""
    return TABLES[kind][name]


def allows(kind: Kind, source: str, target: str) -> bool:
    """Whether a record may go from `source` to `target`.

    Staying where it is, an amendment, is allowed to all but what is finished and forgotten after a while.
    """
    state = state_of(kind, source)
    return (source == target and (not state.is_final or state.is_kept)) or target in state.to


def diagram(kind: Kind) -> str:
    """Return the table of `kind` as a Mermaid state diagram."""
    table = TABLES[kind]
    lines = ["stateDiagram-v2", *(f"    [*] --> {name}" for name in FIRST[kind])]
    for name, state in table.items():
        lines += [f"    {name}: {name} ({state.actor.value})"] if not state.is_final else []
        lines += [f"    {name} --> {target}" for target in state.to] or [f"    {name} --> [*]"]
    return "\n".join(lines)


def document() -> str:
    """Return `docs/states.md`: every table as a picture."""
    parts = ["# States\n\nDrawn by `./run python -m jobstore.states > docs/states.md`; a test holds it to the code.\n"]
    parts += [f"## {kind.value}\n\n```mermaid\n{diagram(kind)}\n```\n" for kind in Kind]
    return "\n".join(parts)


if __name__ == "__main__":
    import sys

    sys.stdout.write(document())
