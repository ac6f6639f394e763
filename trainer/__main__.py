"""`python -m trainer`: serve."""

from __future__ import annotations

import argparse
from pathlib import Path

from pydantic import ValidationError

from trainer.server import TrainerConfig, serve
from trainer.switches import Call, Switches


def read_call(text: str) -> Call:
    """Read `METHOD PATH`. Raises ArgumentTypeError."""
    method, _, path = text.partition(" ")
    try:
        return Call.model_validate({"method": method, "path": path})
    except ValidationError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a method and a path below /v1") from error


def main() -> None:
    parser = argparse.ArgumentParser(prog="trainer", description="OpenAI's fine-tuning protocol, training a toy model.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one; see --port-file")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--api-key-file", type=Path, required=True, help="a file that holds the key clients must send")
    parser.add_argument("--port-file", type=Path, help="where to write the port once it listens")
    parser.add_argument(
        "--trial", action="store_true", help="measure how long training takes by a short one, where none is known yet"
    )
    switches = parser.add_argument_group("misbehaviour, for tests and demonstrations (also by POST /trainer/switches)")
    switches.add_argument("--list-lag-s", type=float, default=0.0, help="list a new job only so many seconds later")
    switches.add_argument(
        "--lose-reply",
        type=read_call,
        action="append",
        default=[],
        metavar='"METHOD PATH"',
        help="do the work of the first such request and drop its connection; may be repeated",
    )
    asked = parser.parse_args()
    key = asked.api_key_file.read_text().strip()
    if not key:
        parser.error("the API key file is empty")
    misbehaviour = Switches(asked.list_lag_s, asked.lose_reply)
    config = TrainerConfig(asked.host, asked.port, asked.data_dir, key, misbehaviour, try_pace=asked.trial)
    serve(config, asked.port_file)


if __name__ == "__main__":
    main()
