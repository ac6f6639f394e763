"""`tuneroom healthy`: ask a process of this machine how it is; for a container's health check."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final

from finetune.errors import UserError
from tuneroom.health import AFTER_THE_FIRST, port_of

if TYPE_CHECKING:
    from tuneroom.settings import Settings

ASK_S: Final = 4.0
EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - recognised, not bound


def run(settings: Settings, processes: list[str]) -> int:
    """Print what each process says; 0 where all that were named, or any that answer, are healthy."""
    if unknown := [name for name in processes if name not in AFTER_THE_FIRST]:
        raise UserError("process-unknown", f"There is no process {unknown[0]}.", f"Ask {', '.join(AFTER_THE_FIRST)}.")
    if not settings.health_port:
        raise UserError("no-health-port", "TUNEROOM_HEALTH_PORT is not set, so nothing answers.", "Set it.")
    host = "127.0.0.1" if settings.health_host in EVERYWHERE else settings.health_host
    said = {name: _ask(f"http://{host}:{port_of(settings, name)}/healthz") for name in processes or AFTER_THE_FIRST}
    if not processes:
        said = {name: answer for name, answer in said.items() if answer is not None}
    for name, answer in said.items():
        sys.stdout.write(f"{name}: {answer[1].strip() if answer else 'no answer'}\n")
    return 0 if said and all(answer is not None and answer[0] for answer in said.values()) else 1


def _ask(address: str) -> tuple[bool, str] | None:
    """Return whether it is healthy and what it says, None where nothing answers."""
    try:
        with urllib.request.urlopen(address, timeout=ASK_S) as answer:  # noqa: S310 - this machine's own address
            return True, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return False, refused.read().decode()
    except OSError:
        return None
