"""Prometheus's text format, by hand: some twenty gauges, counted anew whenever they are asked for (docs/adr/0011)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jobstore.states import TABLES, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jobstore.gauges import Gauges, TeamGauges

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessState:
    """What a process knows of itself: its kind, when it started (seconds since 1970), and its loops' silence."""

    kind: str
    started_s: float
    is_healthy: bool
    silence_s: Mapping[str, float]


Sample = tuple[dict[str, str], float]
NO_LABELS: Final[dict[str, str]] = {}


@dataclass(frozen=True, slots=True)
class _Family:
    name: str
    meaning: str
    samples: Sequence[Sample]


def text(process: ProcessState, gauges: Gauges | None, *, cap_month_usd: float) -> str:
    """Return the page that Prometheus reads; `gauges` is None while Redis cannot be reached."""
    families = list(_of_process(process, gauges is not None))
    if gauges is not None:
        families += _of_record(gauges, cap_month_usd)
    return "".join(line for family in families if family.samples for line in _lines(family))


def _of_process(process: ProcessState, redis_up: bool) -> Iterator[_Family]:  # noqa: FBT001
    kind = {"process": process.kind}
    yield _Family("process_start_time_seconds", "When the process started.", ((kind, process.started_s),))
    yield _Family("healthy", "1: every loop was heard of in time.", ((kind, process.is_healthy),))
    silence = [({**kind, "loop": loop}, age_s) for loop, age_s in sorted(process.silence_s.items())]
    yield _Family("loop_silence_seconds", "Since a loop of this process last got round.", silence)
    yield _Family("redis_up", "1: Redis answered this scrape.", ((NO_LABELS, redis_up),))


def _of_record(gauges: Gauges, cap_month_usd: float) -> Iterator[_Family]:
    memory = gauges.memory
    yield _Family("redis_memory_used_bytes", "Memory that Redis uses.", ((NO_LABELS, memory.used_bytes),))
    yield _Family("redis_memory_limit_bytes", "maxmemory; 0: none is set.", ((NO_LABELS, memory.limit_bytes),))
    ratio: list[Sample] = [] if memory.ratio is None else [(NO_LABELS, memory.ratio)]
    yield _Family("redis_memory_ratio", "Used of maxmemory; at 1 every transition stops.", ratio)
    yield _Family("redis_append_failed", "1: Redis could not write its file.", ((NO_LABELS, gauges.append_failed),))
    yield _Family("queue_tasks", "Rings that wait in a queue.", _by("queue", gauges.queues))
    yield _Family("queue_workers", "Workers that listen to a queue.", _by("queue", gauges.listening))
    yield _Family("cap_month_usd", "What all runs of a month may cost.", ((NO_LABELS, cap_month_usd),))
    yield from _of_teams(gauges.teams)


def _of_teams(teams: Sequence[TeamGauges]) -> Iterator[_Family]:
    due: list[Sample] = []
    jobs: list[Sample] = []
    spend: list[Sample] = []
    for team in teams:
        name = {"team": team.team}
        due += [({**name, "actor": actor}, age_s) for actor, age_s in team.oldest_due_s.items()]
        jobs += [({**name, "state": state}, team.jobs.get(state, 0)) for state in TABLES[Kind.JOB]]
        spend += [({**name, "what": "reserved"}, team.reserved_usd), ({**name, "what": "spent"}, team.spent_usd)]
    yield _Family("due_oldest_seconds", "How long the record that waits longest has waited for an actor.", due)
    yield _Family("jobs", "Jobs by state, those of the last 90 days and every ready one.", jobs)
    yield _Family("spend_usd", "Money of this month (UTC).", spend)
    yield _Family(
        "outbox_deliveries", "Deliveries to Slack that wait.", [({"team": t.team}, t.deliveries) for t in teams]
    )
    yield _Family(
        "outbox_oldest_seconds",
        "How long the delivery that waits longest has waited.",
        [({"team": t.team}, t.oldest_delivery_s) for t in teams],
    )
    yield _Family(
        "dead_letters",
        "Deliveries that Slack refused for good.",
        [({"team": t.team}, t.dead_letters) for t in teams],
    )


def _by(label: str, values: Mapping[str, int]) -> list[Sample]:
    return [({label: name}, value) for name, value in values.items()]


def _lines(family: _Family) -> Iterator[str]:
    name = f"tuneroom_{family.name}"
    yield f"# HELP {name} {family.meaning}\n# TYPE {name} gauge\n"
    for labels, value in family.samples:
        inside = ",".join(f'{label}="{given.translate(_ESCAPES)}"' for label, given in labels.items())
        yield f"{name}{{{inside}}} {float(value):.10g}\n" if inside else f"{name} {float(value):.10g}\n"
