"""The story of `tuneroom sandbox --play` with a validating proxy between the product and the trainer.

python -m tests.trainer.proxied_play --prism PATH/TO/prism --spec openapi.json [--spec more.json] [--errors] [--as-is]

Prism (npm: @stoplight/prism-cli) holds every request and every answer of the story to an OpenAPI document, such as
OpenAI's own. It prints what is violated, and exits 1 where the story did not happen. With --errors the proxy answers
in the trainer's place whatever violates. Two places in which OpenAI's document does not say what OpenAI's service does
are mended first, unless --as-is. Not collected by pytest: Prism is in no lock of ours
(docs/adr/0014-trainer-conformance.md says what was found).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.waiting import wait_for
from tuneroom.play import play
from tuneroom.sandbox_services import Plan, start
from tuneroom.settings import Settings, environment
from tuneroom.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

START_S = 120.0
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
REQUEST = re.compile(r"\[HTTP SERVER\] (\w+) (\S+) .*Request received")
VIOLATION = re.compile(r"Violation: (\S+) (.*)$")
ID = re.compile(r"(file|ftjob|upload|part|ft)[-:][\w:.-]+")


def main() -> int:
    """Play it, and say what was violated."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prism", required=True, help="the program")
    parser.add_argument(
        "--spec", required=True, type=Path, action="append", help="OpenAPI as JSON, paths without /v1; the last wins"
    )
    parser.add_argument("--errors", action="store_true", help="refuse what violates")
    parser.add_argument("--as-is", action="store_true", help="mend nothing in the document")
    asked = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="tuneroom-proxied-"))
    kept = {name: value for name, value in environment().items() if not name.startswith("TUNEROOM_")}
    plan = Plan(home=home, port=0, real=frozenset(), settings=Settings(), environment=kept)
    supervisor = Supervisor()
    threading.Thread(target=supervisor.watch, daemon=True).start()
    try:
        with contextlib.ExitStack() as closing:
            running = start(plan, supervisor, closing)
            log = closing.enter_context(_proxy(asked, running.trainer_url, home))
            code = play(running, out=sys.stdout)
        _tell(log)
    finally:
        supervisor.stop()
    if code == 0:
        shutil.rmtree(home)
    return code


@contextlib.contextmanager
def _proxy(asked: argparse.Namespace, trainer_url: str, home: Path) -> Generator[Path]:
    """Put Prism between the door before the trainer and the trainer: the door asks `trainer.port` where to go."""
    spec, log, port = home / "spec.json", home / "prism.log", _free_port()
    document = _merged(asked.spec)
    if not asked.as_is:
        _mend(document)
    document["paths"] = {f"/v1{path}": operations for path, operations in document["paths"].items()}
    spec.write_text(json.dumps(document))
    upstream = trainer_url.removesuffix("/v1")
    command = [asked.prism, "proxy", str(spec), upstream, "--port", str(port), *(["--errors"] if asked.errors else [])]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as prism:
        try:
            wait_for(lambda: "Prism is listening" in log.read_text(errors="replace"), timeout_s=START_S)
            (home / "trainer.port").write_text(str(port))
            yield log
        finally:
            prism.terminate()


def _merged(specs: Sequence[Path]) -> dict[str, Any]:
    """Return the first document with the paths and schemas of the others put over its own."""
    first, *others = (json.loads(spec.read_bytes()) for spec in specs)
    for other in others:
        first["paths"] |= other["paths"]
        for kind, values in other["components"].items():
            first["components"].setdefault(kind, {}).update(values)
    return first


def _mend(document: dict[str, Any]) -> None:
    """A file's bytes come as bytes; and jobs are paused by operations of the document, whose statuses lack the word."""
    content = document["paths"]["/files/{file_id}/content"]["get"]["responses"]["200"]["content"]
    content["application/octet-stream"] = {"schema": {"type": "string", "format": "binary"}}
    statuses: list[str] = document["components"]["schemas"]["FineTuningJob"]["properties"]["status"]["enum"]
    statuses += [word for word in ("pausing", "paused") if word not in statuses]


def _tell(log: Path) -> None:
    """Print how often each operation was called, and what was violated there."""
    calls, found = Counter[str](), Counter[str]()
    for line in COLOUR.sub("", log.read_text(errors="replace")).splitlines():
        if match := REQUEST.search(line):
            calls[f"{match[1].upper()} {ID.sub('{id}', match[2].partition('?')[0])}"] += 1
        elif match := VIOLATION.search(line):
            found[f"{match[1]} {ID.sub('{id}', match[2])}"] += 1
    sys.stdout.write("\nthrough the proxy:\n")
    sys.stdout.writelines(f"  {count:5} {what}\n" for what, count in calls.most_common())
    sys.stdout.write("violations:\n")
    sys.stdout.writelines(f"  {count:5} {what}\n" for what, count in found.most_common() or [("none", 0)])


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
