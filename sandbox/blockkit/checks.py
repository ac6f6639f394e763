"""Small checks that compose: each takes a value and its JSON pointer and yields what is wrong with it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

Json = dict[str, Any]
Check = Callable[[Any, str], Iterator[str]]


def problem(what: str, at: str) -> str:
    """Write one problem as Slack does, with the JSON pointer of what is wrong."""
    return f"[ERROR] {what} [json-pointer:{at}]"


def string(longest: int, shortest: int = 1) -> Check:
    """Check a text's length in characters."""

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield problem("must provide a string", at)
        elif len(value) > longest:
            yield problem(f"must be less than {longest + 1} characters", at)
        elif len(value) < shortest:
            yield problem(f"must be more than {shortest - 1} characters", at)

    return check


def boolean(value: Any, at: str) -> Iterator[str]:
    """Check a true or false."""
    if not isinstance(value, bool):
        yield problem("must provide a boolean", at)


def integer(lowest: int, highest: int) -> Check:
    """Check a whole number within bounds, both included."""

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield problem("must provide an integer", at)
        elif not lowest <= value <= highest:
            yield problem(f"must be between {lowest} and {highest}", at)

    return check


def anything(value: Any, at: str) -> Iterator[str]:
    """Accept any value: what Slack does not publish a rule for."""
    del value, at
    yield from ()


def nullable(inner: Check) -> Check:
    """Accept null, or what `inner` accepts."""

    def check(value: Any, at: str) -> Iterator[str]:
        if value is not None:
            yield from inner(value, at)

    return check


def one_of(*allowed: str) -> Check:
    """Check that a text is one of a few."""

    def check(value: Any, at: str) -> Iterator[str]:
        if value not in allowed:
            yield problem(f"must be a valid enum value: {', '.join(allowed)}", at)

    return check


def array(item: Check, most: int, least: int = 1) -> Check:
    """Check a list's length and each of its items."""

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield problem("must provide an array", at)
            return
        several = cast("list[Any]", value)
        if len(several) > most:
            yield problem(f"no more than {most} items allowed", at)
        if len(several) < least:
            yield problem(f"no fewer than {least} items required", at)
        for index, one in enumerate(several):
            yield from item(one, f"{at}/{index}")

    return check


def shape(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *rules: Check) -> Check:
    """Check an object: its required fields, its optional ones, no others, then rules about it as a whole."""
    known = {**required, **(optional or {})}

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield problem("must provide an object", at)
            return
        fields = cast("Json", value)
        for name in required:
            if name not in fields:
                yield problem(f"missing required field: {name}", at)
        for name, one in fields.items():
            if name not in known:
                yield problem(f"invalid additional property: {name}", at)
            else:
                yield from known[name](one, f"{at}/{name}")
        for rule in rules:
            yield from rule(fields, at)

    return check


def by_type(kinds: Mapping[str, Check]) -> Check:
    """Check an object by the rules of its `type`."""

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield problem("must provide an object", at)
            return
        kind = cast("Json", value).get("type")
        if kind is None:
            yield problem("missing required field: type", at)
        elif not isinstance(kind, str) or kind not in kinds:
            yield problem(f"unsupported type: {kind}", f"{at}/type")
        else:
            yield from kinds[kind](cast("Json", value), at)

    return check


def typed(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *rules: Check) -> Check:
    """Check an object whose `type` has been looked at already."""
    return shape({"type": anything, **required}, optional, *rules)


def items(value: Any) -> list[Any]:
    """Return a list's items, and none of anything else: its own check complains about that."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def exactly_one(*names: str) -> Check:
    """Rule: one of these fields, and only one, is there."""

    def check(value: Any, at: str) -> Iterator[str]:
        if sum(name in value for name in names) != 1:
            yield problem(f"must provide exactly one of: {', '.join(names)}", at)

    return check


def at_least_one(*names: str) -> Check:
    """Rule: one of these fields, or more, is there."""

    def check(value: Any, at: str) -> Iterator[str]:
        if not any(name in value for name in names):
            yield problem(f"must provide at least one of: {', '.join(names)}", at)

    return check
