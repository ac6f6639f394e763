"""`tuneroom worker`: one child a queue, restarted when it dies."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from tuneroom.settings import environment
from tuneroom.supervisor import Service, Supervisor

if TYPE_CHECKING:
    from collections.abc import Sequence


def run(queues: Sequence[str]) -> int:
    """Work on every queue until SIGTERM or SIGINT."""
    supervisor = Supervisor()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: supervisor.stop_soon())
    for queue in queues:
        command = [sys.executable, "-P", "-m", "tuneroom", "worker", "--queue", queue]
        supervisor.start(Service(name=f"worker-{queue}", command=command, environment=environment()))
    supervisor.watch()
    supervisor.stop()
    return 0
