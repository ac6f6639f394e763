"""/healthz and /metrics of one process, from a thread of its own, where the settings name a port."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, cast

from finetune.errors import UserError
from jobstore.connections import UNAVAILABLE, connect
from jobstore.gauges import read_gauges
from tuneroom import metrics

if TYPE_CHECKING:
    from collections.abc import Generator

    from jobstore.gauges import Gauges
    from jobstore.pulse import Pulse
    from tuneroom.settings import Settings

log = logging.getLogger(__name__)

# one setting serves the three processes of one machine
AFTER_THE_FIRST: Final = {"bot": 0, "worker": 1, "follower": 2}
KEPT_S: Final = 5.0
REQUEST_S: Final = 10.0


def port_of(settings: Settings, process: str) -> int:
    """Return the port of a kind of process; 0: none."""
    return settings.health_port + AFTER_THE_FIRST[process] if settings.health_port else 0


@contextlib.contextmanager
def serving(settings: Settings, process: str, pulse: Pulse) -> Generator[None]:
    """Answer health checks and scrapes until the end of the block, if the settings say where."""
    port = port_of(settings, process)
    if not port:
        yield
        return
    try:
        server = _HealthServer((settings.health_host, port), Health(settings, process, pulse))
    except OSError as error:
        raise UserError(
            "health-port",
            f"The {process} cannot listen on {settings.health_host}:{port} ({error.strerror}).",
            "Another one runs there: give this process a TUNEROOM_HEALTH_PORT of its own, or none.",
        ) from error
    thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    log.info("health.listening", extra={"address": f"{settings.health_host}:{port}"})
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


class Health:
    """What one process answers about itself and about the record."""

    def __init__(self, settings: Settings, process: str, pulse: Pulse) -> None:
        self._settings = settings
        self._process = process
        self._pulse = pulse
        self._started_s = time.time()
        self._lock = threading.Lock()
        self._redis = connect(settings.redis_url)
        self._read_at = float("-inf")
        self._gauges: Gauges | None = None

    def healthz(self) -> tuple[HTTPStatus, str]:
        """Return 200 while every loop gets round in time, else 503: Redis is gone, or a loop hangs."""
        ages, silent = self._pulse.ages_s(), self._pulse.silent()
        is_healthy = bool(ages) and not silent
        said: dict[str, Any] = {"ok": is_healthy, "process": self._process}
        said |= {"loops": {loop: round(age_s, 1) for loop, age_s in sorted(ages.items())}, "silent": sorted(silent)}
        return HTTPStatus.OK if is_healthy else HTTPStatus.SERVICE_UNAVAILABLE, json.dumps(said) + "\n"

    def metrics(self) -> str:
        """Return the page for Prometheus."""
        state = metrics.ProcessState(
            kind=self._process,
            started_s=self._started_s,
            is_healthy=self.healthz()[0] is HTTPStatus.OK,
            silence_s=self._pulse.ages_s(),
        )
        return metrics.text(state, self._fresh(), cap_month_usd=self._settings.cap_month_usd)

    def _fresh(self) -> Gauges | None:
        """The gauges, read again after a few seconds: many scrapes cost no more than one."""
        with self._lock:
            if time.monotonic() - self._read_at > KEPT_S:
                try:
                    self._gauges = read_gauges(self._redis)
                except UNAVAILABLE:
                    self._gauges = None
                self._read_at = time.monotonic()
            return self._gauges


class _HealthServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], health: Health) -> None:
        self.health = health
        super().__init__(address, _Answer)


class _Answer(BaseHTTPRequestHandler):
    timeout = REQUEST_S

    def do_GET(self) -> None:
        """Answer the two paths there are."""
        health = cast("_HealthServer", self.server).health
        path = self.path.partition("?")[0]
        if path == "/healthz":
            status, said = health.healthz()
            self._send(status, "application/json", said)
        elif path == "/metrics":
            self._send(HTTPStatus.OK, metrics.CONTENT_TYPE, health.metrics())
        else:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", "there are /healthz and /metrics\n")

    def _send(self, status: HTTPStatus, content_type: str, said: str) -> None:
        body = said.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """A health check every few seconds is no news."""
