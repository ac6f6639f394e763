"""`python -m trainer`: serve."""

from __future__ import annotations

import argparse
from pathlib import Path

from trainer.server import TrainerConfig, serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="trainer", description="OpenAI's fine-tuning protocol, training a toy model.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one; see --port-file")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--api-key-file", type=Path, required=True, help="a file that holds the key clients must send")
    parser.add_argument("--port-file", type=Path, help="where to write the port once it listens")
    asked = parser.parse_args()
    key = asked.api_key_file.read_text().strip()
    if not key:
        parser.error("the API key file is empty")
    serve(TrainerConfig(asked.host, asked.port, asked.data_dir, key), asked.port_file)


if __name__ == "__main__":
    main()
