"""What the sandbox prints when it is up: what is real, what stands in, and where the page is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuneroom import embedded_redis
from tuneroom.sandbox_services import BELONGS
from tuneroom.settings import FURTHER_PROVIDERS, variable

if TYPE_CHECKING:
    from tuneroom.sandbox_services import Plan, Running

NAMES: Final = {"slack": "Slack", "redis": "Redis", "openai": "Provider"}


def ready_text(plan: Plan, running: Running, waiting: str) -> str:
    """Return the table, the services found and not used, and what to do first; `waiting` is what stands on the page."""
    rows = [("service", "real or stand-in", "what and where"), *_rows(plan, running)]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"  {row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}" for row in rows]
    lines.insert(1, "  " + "-" * max(map(len, lines)))
    text = "\n".join(["", *lines, ""]) + _found_not_used(plan)
    if running.page:
        text += f"\nOpen {running.page}: {waiting} ctrl-C ends everything.\n"
    return text


def _rows(plan: Plan, running: Running) -> list[tuple[str, str, str]]:
    stand_ins = {
        "slack": f"a local workspace, {running.page}",
        "redis": f"{embedded_redis.binary()[1]}, kept on disk in {plan.home / 'redis'}",
        "openai": f"a local trainer, {running.trainer_url}: a toy model that memorises a format and knows nothing",
    }
    outside = [
        (NAMES[name], "REAL", "from the environment")
        if name in plan.real
        else (NAMES[name], "stand-in", stand_ins[name])
        for name in ("slack", "openai", "redis")
    ]
    further = [(name.capitalize(), "REAL", "from the environment") for name in FURTHER_PROVIDERS if name in plan.real]
    ours = ("Tuneroom", "real", f"bot, workers, follower; logs in {plan.home / 'logs'}")
    return [*outside, *further, ours]


def _found_not_used(plan: Plan) -> str:
    found = [
        (variable(field), service)
        for service, fields in BELONGS.items()
        for field in fields
        if service not in plan.real and plan.environment.get(variable(field))
    ]
    lines = [f"\n{name} is set and not used; --real {service} would use it." for name, service in found]
    return "".join(lines) + ("\n" if lines else "")
