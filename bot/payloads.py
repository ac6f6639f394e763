"""Reading Slack's JSON: what is not there reads as nothing, so that intake can say what is missing in its own words."""

from __future__ import annotations

from typing import Any, cast

Payload = dict[str, Any]


def table(value: Any, *path: str) -> Payload:
    """Return the object at a path, empty where there is none."""
    found: Any = value
    for name in path:
        found = found.get(name) if hasattr(found, "get") else None
    return cast("Payload", found) if isinstance(found, dict) else {}


def tables(value: Any, name: str) -> list[Payload]:
    """Return the list of objects under a name, empty where there is none."""
    found: Any = value.get(name)
    return [cast("Payload", one) for one in cast("list[Any]", found) if isinstance(one, dict)] if found else []


def text(value: Any, *path: str) -> str:
    """Return the text at a path, empty where there is none."""
    *above, name = path
    found: Any = table(value, *above).get(name) if above else value.get(name)
    # JSON can carry half a character ("\\ud800"), which neither a record nor a log can hold
    return "" if found is None else str(found).encode("utf-8", "replace").decode()
