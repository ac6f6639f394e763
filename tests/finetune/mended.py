"""Versions made the way the command line and the worker make them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from finetune.mending import Mending, Recipe

if TYPE_CHECKING:
    from finetune.fixes.difference import Difference


def version(content: bytes, recipe: Recipe, filename: str = "data.jsonl") -> tuple[bytes, Difference]:
    """Return a new version's bytes, and how it differs."""
    mending = Mending([content], filename, recipe)
    return b"".join(mending), mending.difference


def objects(content: bytes) -> list[Any]:
    return [json.loads(line) for line in content.splitlines()]


def counts(difference: Difference) -> dict[str, int]:
    return {change.code: change.count for change in difference.changes}
