"""`python -m sandbox --config FILE`: serve a local workspace until SIGTERM."""

import argparse
import sys
from pathlib import Path

from sandbox.config import ConfigError, read_config
from sandbox.server import serve


def main() -> int:
    """Read the configuration and serve; exit 64 when the configuration cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="a JSON file; see sandbox/config.py")
    try:
        config = read_config(parser.parse_args().config)
    except (OSError, ValueError, ConfigError) as refused:
        sys.stderr.write(f"sandbox: {refused}\n")
        return 64
    serve(config)
    return 0


if __name__ == "__main__":
    sys.exit(main())
