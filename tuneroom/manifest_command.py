"""`tuneroom manifest`: the Slack app, as a file or as a link that fills in Slack's form."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bot import manifest
from finetune.errors import UserError

if TYPE_CHECKING:
    import argparse


def run(parsed: argparse.Namespace) -> int:
    """Print what was asked for."""
    address = str(parsed.http)
    if address and not address.startswith("https://"):
        raise UserError("address-invalid", f"Slack calls https:// addresses only, not {address}.", "Give that one.")
    made = manifest.manifest(address)
    if parsed.reasons:
        rows = [f"{scope.name:<18} {scope.reason}" for scope in manifest.SCOPES]
        sys.stdout.write("\n".join(rows) + "\n")
    elif parsed.link:
        sys.stdout.write(manifest.link(made) + "\n")
    else:
        sys.stdout.write(manifest.as_text(made))
    return 0
