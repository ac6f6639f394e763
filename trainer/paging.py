"""Cursor pages in OpenAI's list form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trainer.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence


def page(items: Sequence[dict[str, Any]], after: str | None, limit: int) -> dict[str, Any]:
    """The items that follow the one with the id `after`, at most limit. Raises Refusal if there is none such."""
    start = 0
    if after:
        places = [place for place, item in enumerate(items) if item["id"] == after]
        if not places:
            raise Refusal(404, "No object with the id given as 'after' was found.", param="after")
        start = places[0] + 1
    shown = list(items[start : start + limit])
    return {
        "object": "list",
        "data": shown,
        "has_more": start + limit < len(items),
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
    }
