"""`tuneroom worker`: one child a queue, restarted when it dies."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from jobstore.connections import UNAVAILABLE, connect
from jobstore.gauges import listeners
from jobstore.pulse import SILENCE_S, Pulse
from tuneroom import health
from tuneroom.settings import environment
from tuneroom.supervisor import Service, Supervisor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuneroom.settings import Settings

log = logging.getLogger(__name__)

LOOK_S: Final = 5.0
# where a worker does its tasks itself (tuneroom/tasks.py), it is not heard of while one lasts
HEARD_WITHIN_S: Final = SILENCE_S if sys.platform != "darwin" else 3600.0


def run(settings: Settings, queues: Sequence[str]) -> int:
    """Work on every queue until SIGTERM or SIGINT."""
    supervisor, pulse = Supervisor(), Pulse()
    with health.serving(settings, "worker", pulse):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: supervisor.stop_soon())
        for queue in queues:
            command = [sys.executable, "-P", "-m", "tuneroom", "worker", "--queue", queue]
            supervisor.start(Service(name=f"worker-{queue}", command=command, environment=environment()))
            pulse.beat(f"worker-{queue}")
        listening = threading.Thread(target=_listen, args=(settings, supervisor, pulse), name="pulse", daemon=True)
        listening.start()
        supervisor.watch()
        supervisor.stop()
    return 0


def _listen(settings: Settings, supervisor: Supervisor, pulse: Pulse) -> None:
    """Pass on what Redis has heard of the children: RQ says there that a worker is alive, busy or not."""
    redis = connect(settings.redis_url)
    host = socket.gethostname()
    while not supervisor.wait(LOOK_S):
        try:
            heard = {one.pid: one.heard for one in listeners(redis) if one.host == host}
        except UNAVAILABLE:
            log.warning("redis.unavailable")
            continue
        for name in supervisor.names():
            if (at := heard.get(supervisor.pid(name))) is not None:
                ago_s = (datetime.now(UTC) - at).total_seconds()
                pulse.beat(name, within_s=HEARD_WITHIN_S, ago_s=max(0.0, ago_s))
